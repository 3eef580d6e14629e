"""The configuration of an edge: Kamailio (5.6 or later) before the exchange, for what the exchange does not speak and does not want to see.

The edge takes calls by UDP, TCP and TLS, keeps floods away, knows the telephones of agents by their passwords, and hands calls to whichever
process that moves sound is there. Sound does not go through it. It asks the processes by OPTIONS; one that takes no new calls says 503.
"""

from __future__ import annotations

import hmac
import ipaddress
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import md5
from typing import Self

from everyline.sip.addresses import PORT, Named
from everyline.sip.messages import Request

SOURCE = "x-everyline-source"  # tells the exchange who sent what the edge hands on: address and port
TELEPHONE = "x-everyline-telephone"  # and which telephone of ours it was, where one has proved itself
NODES = "nodes.list"
_NAME = re.compile(r"[\w.+-]{1,60}")
_HOST = re.compile(r"[A-Za-z0-9.-]{1,253}")
SECURE_PORT = 5061  # RFC 3261, 19.1.2
TLS = "tls.cfg"


@dataclass(frozen=True)
class SecureTrunk:
    """A trunk that is spoken to by TLS: its host, its port, and the file of the authorities whose word is taken for it; empty: those
    of ``Edge``. Kamailio (up to 5.8) proves that an authority made the certificate, and not for whom: where that matters the file
    holds the provider's own authority alone."""

    host: str
    port: int = SECURE_PORT
    authorities: str = ""

    @classmethod
    def read(cls, text: str) -> Self:
        """``host[:port][=file]``. ValueError."""
        where, _, authorities = text.partition("=")
        host, colon, port = where.partition(":")
        if not _HOST.fullmatch(host):
            raise ValueError(f"{host!r} is no name of a host")
        if colon and (not port.isdecimal() or not 0 < int(port) < 65536):
            raise ValueError(f"{where!r} has no port")
        return cls(host, int(port or SECURE_PORT), authorities)


@dataclass(frozen=True)
class Edge:
    """What an edge is to be.

    ``domain``: what stands behind the @ of telephones' addresses, and their realm. ``nodes``: the exchanges, ``host:port``. ``phones``: passwords by
    user. ``secure``: trunks that are spoken to by TLS, see ``SecureTrunk``; their certificates are made by
    an authority in the file ``authorities``.
    """

    domain: str
    nodes: Sequence[str]
    host: str = "0.0.0.0"  # noqa: S104 -- it is there to be reached
    port: int = 5060
    secure_port: int = 5061
    certificate: str = ""
    key: str = ""
    phones: Mapping[str, str] = field(default_factory=dict)
    secure: Sequence[str] = ()
    authorities: str = "/etc/ssl/certs/ca-certificates.crt"
    folder: str = "/etc/kamailio"
    requests_a_second: int = 50

    def __post_init__(self) -> None:
        if not _HOST.fullmatch(self.domain):
            raise ValueError(f"{self.domain!r} is no name of a host")
        if not self.nodes:
            raise ValueError("name at least one process that takes calls, as 192.0.2.7:5060")
        for node in self.nodes:
            host, _, port = node.rpartition(":")
            ipaddress.IPv4Address(host)
            if not port.isdecimal() or not 0 < int(port) < 65536:
                raise ValueError(f"{node!r} has no port")
        for user in self.phones:
            if not _NAME.fullmatch(user):
                raise ValueError(f"{user!r} is no name of a telephone")
        for path in (
            self.certificate,
            self.key,
            self.authorities,
            self.folder,
            *(one.authorities for one in self.trunks),
        ):
            if '"' in path or "\n" in path:
                raise ValueError(f"{path!r} is no path")
        if bool(self.certificate) != bool(self.key):
            raise ValueError("TLS needs a certificate and its key")
        if self.trunks and not self.certificate:
            raise ValueError("a trunk is spoken to by TLS where the edge has a certificate and its key")

    @property
    def trunks(self) -> tuple[SecureTrunk, ...]:
        """Those of ``secure``."""
        return tuple(map(SecureTrunk.read, self.secure))


def address(text: str) -> tuple[str, int] | None:
    """Address and port of an edge; None when there is none. ValueError."""
    if not text:
        return None
    host, _, port = text.partition(":")
    return str(ipaddress.IPv4Address(host)), int(port or PORT)


def source(request: Request, edge: tuple[str, int] | None) -> tuple[str, int] | None:
    """Who sent a request: the edge says it of what it hands on. None for what is the edge's own."""
    if edge is None or request.source[0] != edge[0]:
        return request.source
    host, _, port = request.one(SOURCE).strip().rpartition(":")
    try:
        return str(ipaddress.ip_address(host.strip("[]"))), int(port)
    except ValueError:
        return None


def telephone(request: Request, edge: tuple[str, int] | None) -> str:
    """The address of the telephone that calls, when the edge says that it is one of ours; else empty."""
    named = request.all(TELEPHONE)
    caller = Named.read(request.one("from"))
    if edge is None or request.source[0] != edge[0] or len(named) != 1 or caller is None:
        return ""
    return f"sip:{caller.uri.name}@{caller.uri.host.lower()}" if caller.uri.name == named[0].strip() else ""


def password(key: bytes, user: str) -> str:
    """The password of a telephone: made of the installation's key, so that it is kept nowhere."""
    return hmac.digest(key, f"everyline telephone {user}".encode(), "sha256").hex()[:24]


def files(edge: Edge) -> dict[str, str]:
    """The files of an edge by their names."""
    nodes = "".join(f"1 sip:{node};transport=udp\n" for node in edge.nodes)
    found = {"kamailio.cfg": _CONFIGURATION % _parts(edge), NODES: nodes}
    if edge.certificate:
        own = (edge.certificate, edge.key)
        trunks = (_OF_TRUNK % (one.host, one.host, *own, one.authorities or edge.authorities) for one in edge.trunks)
        found[TLS] = _CERTIFICATES % (*own, *own, edge.authorities) + "".join(trunks)
    return found


def _parts(edge: Edge) -> dict[str, object]:
    tls = bool(edge.certificate)
    known = [
        f'        case "{user}": $var(proof) = "{_proof(user, edge.domain, word)}"; break;\n'
        for user, word in edge.phones.items()
    ]
    secure = [
        f'    if ($rd == "{one.host}") {{ $du = "sip:{one.host}:{one.port};transport=tls"; '
        f'$xavp(tls=>server_name) = "{one.host}"; $xavp(tls[0]=>server_id) = "{one.host}"; }}\n'
        for one in edge.trunks
    ]
    return {
        "domain": edge.domain,
        "host": edge.host,
        "port": edge.port,
        "folder": edge.folder,
        "nodes": NODES,
        "source": SOURCE,
        "telephone": TELEPHONE,
        "rate": edge.requests_a_second,
        "tls_on": "enable_tls=yes\n" if tls else "",
        "tls_listen": f"listen=tls:{edge.host}:{edge.secure_port}\n" if tls else "",
        "tls_module": _TLS % f"{edge.folder}/{TLS}" if tls else "",
        "known": "".join(known) or '        case "": break;\n',
        "secure": "".join(secure),
    }


def _proof(user: str, realm: str, word: str) -> str:
    return md5(
        f"{user}:{realm}:{word}".encode(), usedforsecurity=False
    ).hexdigest()  # what digests are made of (RFC 7616)


_TLS = """
loadmodule "tls.so"
modparam("tls", "config", "%s")
modparam("tls", "xavp_cfg", "tls")
"""

# telephones prove themselves by passwords; trunks by certificates, and they may ask for ours
_CERTIFICATES = """[server:default]
method = TLSv1.2+
certificate = %s
private_key = %s
verify_certificate = no
require_certificate = no

[client:default]
method = TLSv1.2+
certificate = %s
private_key = %s
ca_list = %s
verify_certificate = yes
require_certificate = yes
"""

_OF_TRUNK = """
[client:any]
server_name = %s
server_id = %s
method = TLSv1.2+
certificate = %s
private_key = %s
ca_list = %s
verify_certificate = yes
require_certificate = yes
"""

_CONFIGURATION = """#!KAMAILIO
# Made by `everyline edge`: make it anew rather than change it.
children=2
tcp_children=2
log_stderror=no
debug=2
server_header="Server: Everyline"
user_agent_header="User-Agent: Everyline"
auto_aliases=no
alias="%(domain)s"
%(tls_on)slisten=udp:%(host)s:%(port)s
listen=tcp:%(host)s:%(port)s
%(tls_listen)s
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "sanity.so"
loadmodule "nathelper.so"
loadmodule "pike.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "auth.so"
loadmodule "dispatcher.so"
loadmodule "htable.so"
%(tls_module)s
modparam("rr", "enable_double_rr", 1)
modparam("tm", "fr_timer", 5000)
modparam("tm", "fr_inv_timer", 180000)
modparam("usrloc", "db_mode", 0)
modparam("registrar", "max_expires", 3600)
modparam("registrar", "received_avp", "$avp(received)")
modparam("nathelper", "received_avp", "$avp(received)")
modparam("auth", "nonce_count", 0)
modparam("pike", "sampling_time_unit", 1)
modparam("pike", "reqs_density_per_unit", %(rate)d)
modparam("dispatcher", "list_file", "%(folder)s/%(nodes)s")
modparam("dispatcher", "flags", 2) # another is asked when one does not answer
modparam("dispatcher", "ds_ping_interval", 5)
modparam("dispatcher", "ds_probing_mode", 1)
modparam("dispatcher", "ds_probing_threshold", 1)
modparam("dispatcher", "ds_ping_reply_codes", "class=2")
modparam("htable", "htable", "at=>size=10;autoexpire=14400")

request_route {
    if (!mf_process_maxfwd_header("10")) { sl_send_reply("483", "Too Many Hops"); exit; }
    if (!sanity_check("1511", "7")) { exit; }
    # whoever sends from several ports of one address counts as one; our own processes do not count
    if (!ds_is_from_list("1") && !has_totag() && !pike_check_req()) { exit; }
    force_rport();

    if (is_method("CANCEL")) {
        if (t_check_trans()) { t_relay(); }
        exit;
    }
    if (has_totag()) {
        if (loose_route()) {
            # a telephone behind address translation, or one that holds its connection
            if (ds_is_from_list("1")) { handle_ruri_alias(); } else { remove_hf("Proxy-Authorization"); }
            route(RELAY);
        } else if (is_method("ACK")) {
            if (t_check_trans()) { t_relay(); }
        } else {
            sl_send_reply("404", "Not Here");
        }
        exit;
    }
    t_check_trans();
    remove_hf("Route");
    if (is_method("INVITE|SUBSCRIBE|REFER")) { record_route(); }

    if (ds_is_from_list("1")) { route(OUT); exit; }
    if (is_method("REGISTER") && $rd == "%(domain)s") { route(PHONE); exit; }
    if (is_method("OPTIONS") && uri == myself && $rU == $null) { sl_send_reply("200", "OK"); exit; }
    if (is_method("INVITE|OPTIONS")) { route(IN); exit; }
    sl_send_reply("403", "Forbidden");
}

# what a telephone of an agent proves itself by
route[PROOF] {
    $var(proof) = "";
    switch ($var(user)) {
%(known)s    }
}

# a telephone of an agent signs in
route[PHONE] {
    $var(user) = $au;
    route(PROOF);
    if ($var(proof) == "" || !pv_www_authenticate("%(domain)s", "$var(proof)", "1")) {
        www_challenge("%(domain)s", "1");
        exit;
    }
    if ($au != $tU) { sl_send_reply("403", "Forbidden"); exit; }
    fix_nated_register();
    if (!save("location")) { sl_reply_error(); }
}

# somebody calls: a process that moves sound takes it, told who sent it. What a telephone of ours begins goes where its other call is
route[IN] {
    remove_hf("%(source)s");
    remove_hf("%(telephone)s");
    append_hf("%(source)s: $si:$sp\\r\\n");
    $var(user) = "";
    if (is_method("INVITE") && $fd == "%(domain)s") { route(DIALS); }
    if (!ds_select_dst("1", "4")) { sl_send_reply("503", "Service Unavailable"); exit; }
    if ($var(user) != "") {
        $var(at) = $sht(at=>$var(user));
        if ($var(at) != 0 && $var(at) != "" && ds_is_active("1", "sip:" + $var(at) + ";transport=udp")) {
            $du = "sip:" + $var(at) + ";transport=udp";
        }
        $sht(at=>$var(user)) = $dd + ":" + $dp;
    }
    t_on_failure("NEXT");
    route(RELAY);
}

# a telephone of an agent calls: it proves itself, and calls in no other name than its own. Who is none of ours is for the process to refuse
route[DIALS] {
    $var(user) = $fU;
    route(PROOF);
    if ($var(proof) == "") { $var(user) = ""; return; }
    if (!pv_proxy_authenticate("%(domain)s", "$var(proof)", "1")) {
        proxy_challenge("%(domain)s", "1");
        exit;
    }
    if ($au != $fU) { sl_send_reply("403", "Forbidden"); exit; }
    remove_hf("Proxy-Authorization");
    append_hf("%(telephone)s: $fU\\r\\n");
    add_contact_alias();
}

failure_route[NEXT] {
    if (t_is_canceled()) { exit; }
    if (t_check_status("503") || (t_branch_timeout() && !t_branch_replied())) {
        # who does not answer at all is asked no more before it answers a question again
        if (t_branch_timeout()) { ds_mark_dst("ip"); }
        if (ds_next_dst()) {
            if ($fd == "%(domain)s") { $sht(at=>$fU) = $dd + ":" + $dp; }
            t_on_failure("NEXT");
            t_relay();
            exit;
        }
        append_to_reply("Retry-After: 10\\r\\n");
        t_reply("503", "Service Unavailable");
    }
}

# we call: a telephone that has signed in, or a trunk
route[OUT] {
    remove_hf("%(source)s");
    if (uri == myself) {
        $var(user) = $rU;
        if (!lookup("location")) { sl_send_reply("480", "Not Signed In"); exit; }
        if (is_method("INVITE")) {
            $sht(at=>$var(user)) = $si + ":" + $sp;
            t_on_reply("PHONE");
        }
    }
%(secure)s    route(RELAY);
}

onreply_route[PHONE] {
    add_contact_alias();
}

route[RELAY] {
    if (!t_relay()) { sl_reply_error(); }
}
"""
