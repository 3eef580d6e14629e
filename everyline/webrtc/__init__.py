"""Browsers as legs: an agent's page is heard and hears by WebRTC, and is a leg of the engine like any telephone.

    browsers = Browsers(engine, ["192.0.2.10"], moved=lambda agent_id, ready: …)
    answer = await browsers.answer(7, offer)        # both are session descriptions; all candidates are in the answer
    mix.add(browsers.get(7).leg)
    await browsers.end()

A way is secured by ICE, DTLS and SRTP: in this process by aiortc's parts (``own``), or by a Janus beside it (``janus``), behind one
seam (``ways``). The sound itself is G.711 and passes as it is, so that nothing is decoded twice. ``browsers`` is all of a process,
``browser`` one of them, ``offers`` the descriptions. It needs the extra
``phone``; import it only in the process that moves sound.
"""
