"""Messages of RFC 4475, made to be read wrongly; in its own words where that is what matters, with our addresses.

``EXPECTED``: the codes with which a message may be answered, or nothing said where a set is empty.
"""

from __future__ import annotations

HEAD = (
    "Via: SIP/2.0/UDP {host}:{port};branch=z9hG4bK{name}\r\nFrom: <sip:caller@example.com>;tag=98asjd8\r\nTo: <sip:user@example.com>\r\n"
    "Call-ID: {name}.torture@example.com\r\nMax-Forwards: 70\r\nContact: <sip:caller@{host}:{port}>\r\n"
)


def message(first: str, *fields: str, head: str = HEAD, body: str = "", length: str | None = None) -> str:
    """A message from its parts."""
    size = str(len(body.encode("latin-1"))) if length is None else length
    return (
        f"{first}\r\n{head}"
        + "".join(f"{line}\r\n" for line in fields)
        + (f"Content-Length: {size}\r\n" if size else "")
        + f"\r\n{body}"
    )


SDP = "v=0\r\no=mhandley 29739 7272939 IN IP4 192.0.2.3\r\ns=-\r\nc=IN IP4 192.0.2.4\r\nt=0 0\r\nm=audio 49217 RTP/AVP 0 12\r\n"
URI = "sip:user@{house}"
ANY = {200, 400, 403, 405, 413, 414, 416, 420, 481, 482, 483, 489, 500, 501, 503, 505, 606}

MESSAGES: dict[str, tuple[str, set[int]]] = {
    # 3.1.1 valid messages
    "wsinv": (
        "INVITE sip:vivekg@{house};unknownparam SIP/2.0\r\nTO :\r\n sip:vivekg@{house} ;   tag    = 1918181833n\r\n"
        'from   : "J Rosenberg \\\\\\""       <sip:jdrosen@example.com>\r\n  ;\r\n  tag = 98asjd8\r\nMaX-fOrWaRdS: 0068\r\n'
        "Call-ID: wsinv.ndaksdj@192.0.2.1\r\nContent-Length   : 150\r\ncseq: 0009\r\n  INVITE\r\n"
        "Via  : SIP  /   2.0\r\n /UDP\r\n    {host}:{port};branch=390skdjuw\r\ns :\r\nNewFangledHeader:   newfangled value\r\n"
        " continued newfangled value\r\nUnknownHeaderWithUnusualValue: ;;,,;;,;\r\nContent-Type: application/sdp\r\nRoute:\r\n"
        " <sip:services.example.com;lr;unknownwith=value;unknown-no-value>\r\n"
        'v:  SIP  / 2.0  / TCP     spindle.example.com   ;\r\n  branch  =   z9hG4bK9ikj8  ,\r\n SIP  /    2.0   / UDP  192.168.255.111   ; branch=\r\n z9hG4bK30239\r\nm:"Quoted string \\"\\"" <sip:jdrosen@example.com> ; newparam =\r\n'
        "      newvalue ;\r\n  secondparam ; q = 0.33\r\n\r\n"
        "v=0\r\no=mhandley 29739 7272939 IN IP4 192.0.2.3\r\ns=-\r\nc=IN IP4 192.0.2.4\r\nt=0 0\r\nm=audio 49217 RTP/AVP 0 12\r\nm=video 3227 RTP/AVP 31\r\na=rtpmap:31 LPC\r\n",
        ANY,
    ),
    "intmeth": (
        message("!interesting-Method0123456789_*+`.%indeed'~ " + URI, "CSeq: 139122385 !interesting-Method0123456789_*+`.%indeed'~").replace(
            "'~ sip", "'~ sip"
        ),
        ANY,
    ),
    "esc01": (message("INVITE sip:sips%3Auser%40example.com@{house} SIP/2.0", "CSeq: 234234 INVITE", body=SDP), {486}),
    "escnull": (message("REGISTER sip:{house} SIP/2.0", "CSeq: 14398234 REGISTER", "Contact: <sip:%00@host5.example.com>"), {403}),
    "esc02": (message("RE%47IST%45R sip:{house} SIP/2.0", "CSeq: 29344 RE%47IST%45R"), {501, 403}),
    "lwsdisp": (message("OPTIONS " + URI + " SIP/2.0", "CSeq: 60 OPTIONS", head=HEAD.replace("From: <", "From: caller<")), {200}),
    "longreq": (
        message(
            "INVITE " + URI + " SIP/2.0", "CSeq: 3882340 INVITE", "Unknown-" + "Long" * 20 + "-Name: unknown-" + "long" * 40 + "-value",
            *(f"Via: SIP/2.0/TCP sip{n}.example.com;branch=z9hG4bK{n}" for n in range(40)), body=SDP,
        ),
        {486},
    ),
    "dblreq": (message("REGISTER sip:{house} SIP/2.0", "CSeq: 8 REGISTER", length="0") + "INVITE sip:joe@example.com SIP/2.0\r\n\r\n", {403}),
    "semiuri": (message("OPTIONS sip:user;par=u%40example.net@{house} SIP/2.0", "CSeq: 8 OPTIONS"), {200}),
    "transports": (message("OPTIONS " + URI + " SIP/2.0", "CSeq: 60 OPTIONS", "Via: SIP/2.0/UNKNOWN t5.example.com;branch=z9hG4bKkdjuw"), {200}),
    "mpart01": (message("INVITE " + URI + " SIP/2.0", "CSeq: 127 INVITE", "Content-Type: multipart/mixed;boundary=7a9cbec02ceef655", body="--7a9c\x00\xff\r\n"), {486}),
    "unreason": ("SIP/2.0 200 = 2**3 * 5**2 \xd0\xbd\xd0\xbe\r\n" + HEAD + "CSeq: 35 INVITE\r\n\r\n", set()),
    "noreason": ("SIP/2.0 100 \r\n" + HEAD + "CSeq: 35 INVITE\r\n\r\n", set()),
    # 3.1.2 invalid messages
    "badinv01": (message("INVITE " + URI + " SIP/2.0", "CSeq: 8 INVITE", "Contact: \"Joe\" <sip:joe@example.org>;;;;", "Via: SIP/2.0/UDP 192.0.2.15;;,;,,", body=SDP), ANY | {486}),
    "clerr": (message("INVITE " + URI + " SIP/2.0", "CSeq: 8 INVITE", body=SDP, length="9999"), {400}),
    "ncl": (message("INVITE " + URI + " SIP/2.0", "CSeq: 8 INVITE", body=SDP, length="-999"), {400}),
    "scalar02": (
        message(
            "REGISTER sip:{house} SIP/2.0", "CSeq: 36893488147419103232 REGISTER", "Expires: 10000000000000000000000000000000000000000",
            head=HEAD.replace("Max-Forwards: 70", "Max-Forwards: 300"),
        ),
        ANY,
    ),
    "scalarlg": (
        "SIP/2.0 503 Service Unavailable\r\n" + HEAD + "CSeq: 9292394834772304023312 OPTIONS\r\nRetry-After: 949302838503028349304023988\r\n\r\n", set(),
    ),
    "quotbal": (message("INVITE " + URI + " SIP/2.0", "CSeq: 8 INVITE", head=HEAD.replace("To: <sip", 'To: "Mr. J. User <sip'), body=SDP), ANY | {486}),
    "ltgtruri": (message("INVITE <sip:user@{house}> SIP/2.0", "CSeq: 8 INVITE", body=SDP), ANY),
    "lwsruri": (message("INVITE sip:user@{house}; lr SIP/2.0", "CSeq: 8 INVITE", body=SDP), ANY),
    "lwsstart": (message("INVITE  sip:user@{house}  SIP/2.0", "CSeq: 8 INVITE", body=SDP), ANY),
    "trws": (message("OPTIONS sip:remote-target@{house} SIP/2.0  ", "CSeq: 8 OPTIONS"), ANY),
    "escruri": (message("INVITE sip:user@{house}?Route=%3Csip:example.com%3E SIP/2.0", "CSeq: 8 INVITE", body=SDP), ANY | {486}),
    "baddate": (message("INVITE " + URI + " SIP/2.0", "CSeq: 8 INVITE", "Date: Fri, 01 Jan 2010 16:00:00 EST", body=SDP), {486}),
    "regbadct": (message("REGISTER sip:{house} SIP/2.0", "CSeq: 8 REGISTER", "Contact: sip:user@example.com?Route=%3Csip:sip.example.com%3E"), ANY),
    "badaspec": (message("OPTIONS " + URI + " SIP/2.0", "CSeq: 8 OPTIONS", head=HEAD.replace("From: <", 'From: "Bell, Alexander" <').replace("To: <", "To: Bell, Alexander <")), ANY),
    "baddn": (message("OPTIONS " + URI + " SIP/2.0", "CSeq: 8 OPTIONS", head=HEAD.replace("From: <", "From: Bell, Alexander <")), ANY),
    "badvers": (message("OPTIONS " + URI + " SIP/7.0", "CSeq: 8 OPTIONS"), {505}),
    "mismatch01": (message("OPTIONS " + URI + " SIP/2.0", "CSeq: 8 INVITE"), {400}),
    "mismatch02": (message("NEWMETHOD " + URI + " SIP/2.0", "CSeq: 8 INVITE"), {400, 501}),
    "bigcode": ("SIP/2.0 4294967301 better not break the receiver\r\n" + HEAD + "CSeq: 8 INVITE\r\n\r\n", set()),
    # 3.2 transaction, 3.3 application, 3.4 backward compatibility
    "badbranch": (message("OPTIONS " + URI + " SIP/2.0", "CSeq: 8 OPTIONS", head=HEAD.replace("z9hG4bK{name}", "z9hG4bK")), {200, 400}),
    "insuf": (message("INVITE " + URI + " SIP/2.0", "CSeq: 8 INVITE", head="Via: SIP/2.0/UDP {host}:{port};branch=z9hG4bKin\r\nMax-Forwards: 70\r\n", body=SDP), set()),
    "unkscm": (message("OPTIONS nobodyKnowsThisScheme:totallyopaquecontent SIP/2.0", "CSeq: 3923423 OPTIONS"), {400, 416}),
    "novelsc": (message("OPTIONS soap.beep://192.0.2.103:3002 SIP/2.0", "CSeq: 8 OPTIONS"), {400, 416}),
    "unksm2": (message("REGISTER sip:{house} SIP/2.0", "CSeq: 8 REGISTER", head=HEAD.replace("To: <sip:user@example.com>", "To: <isbn:2983792873>")), ANY),
    "bext01": (message("INVITE " + URI + " SIP/2.0", "CSeq: 8 INVITE", "Require: nothingSupportsThis, nothingSupportsThisEither", body=SDP), {420}),
    "invut": (message("INVITE " + URI + " SIP/2.0", "CSeq: 8 INVITE", "Content-Type: application/unknownformat", body="<audio><pcmu port=\"443\"/></audio>"), {486}),
    "regaut01": (message("REGISTER sip:{house} SIP/2.0", "CSeq: 8 REGISTER", "Authorization: NoOneKnowsThisScheme opaque-data=here"), {403}),
    "multi01": (message("INVITE " + URI + " SIP/2.0", "CSeq: 59 INVITE", "CSeq: 8 INVITE", "Call-ID: two@x", "Max-Forwards: 5", "To: <sip:other@example.com>", "From: <sip:other@example.com>;tag=9", body=SDP), ANY | {486}),
    "mcl01": (message("OPTIONS " + URI + " SIP/2.0", "CSeq: 8 OPTIONS", "Content-Length: 13", body="There's no way to know how many octets are supposed to be here.\r\n", length="5"), {400}),
    "bcast": ("SIP/2.0 200 OK\r\n" + HEAD.replace("{host}:{port}", "192.0.2.198") + "CSeq: 35 INVITE\r\nContent-Length: 0\r\n\r\n", set()),
    "zeromf": (message("INVITE " + URI + " SIP/2.0", "CSeq: 8 INVITE", head=HEAD.replace("Max-Forwards: 70", "Max-Forwards: 0"), body=SDP), {483}),
    "cparam01": (message("REGISTER sip:{house} SIP/2.0", "CSeq: 8 REGISTER", "Contact: <sip:+19725552222@gw1.example.net>;unknownparam"), {403}),
    "inv2543": ("INVITE sip:UserB@{house} SIP/2.0\r\nVia: SIP/2.0/UDP {host}:{port}\r\nFrom: <sip:iplegacy@example.net>\r\nTo: <sip:UserB@{house}>\r\nCall-ID: inv2543.1717@x\r\nCSeq: 56 INVITE\r\nContent-Type: application/sdp\r\n\r\n" + SDP, ANY),
}  # fmt: skip
