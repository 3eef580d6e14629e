"""What the mail programs are told. Plain text, so that it reads as their own documentation does."""

from __future__ import annotations

POSTFIX_MAIN = """\
compatibility_level = 3.6
queue_directory = {dir}/postfix/queue
data_directory = {dir}/postfix/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
maillog_file = {dir}/postfix/postfix.log
maillog_file_prefixes = {dir}/postfix
mail_owner = postfix
setgid_group = postdrop
myhostname = mx.world.example
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
disable_dns_lookups = yes
smtp_host_lookup = native
local_recipient_maps =
alias_maps =
recipient_delimiter = +
default_transport = lmtp:inet:127.0.0.1:{lmtp}
transport_maps = tcp:127.0.0.1:{routes}
smtpd_relay_restrictions = permit_mynetworks, permit_sasl_authenticated, reject
smtpd_recipient_restrictions =
smtpd_milters = {milter}
milter_default_action = tempfail
milter_connect_timeout = 20s
message_size_limit = 104857600
mailbox_size_limit = 0
smtputf8_enable = yes
queue_run_delay = 2s
minimal_backoff_time = 1s
maximal_backoff_time = 3s
bounce_queue_lifetime = 1d
smtpd_tls_security_level = may
smtpd_tls_chain_files = {dir}/host.pem
smtp_tls_security_level = may
lmtp_destination_concurrency_limit = 20
smtp_destination_concurrency_limit = 20
smtp_connection_cache_on_demand = no
lmtp_connection_cache_on_demand = no
smtpd_client_connection_count_limit = 0
smtpd_sasl_type = dovecot
smtpd_sasl_path = inet:127.0.0.1:{sasl}
smtpd_error_sleep_time = 0
smtpd_junk_command_limit = 10000
"""

POSTFIX_MASTER = """\
127.0.0.1:{smtp} inet n - n - - smtpd
127.0.0.1:{submission} inet n - n - - smtpd
  -o smtpd_sasl_auth_enable=yes
  -o smtpd_tls_security_level=encrypt
  -o smtpd_relay_restrictions=permit_sasl_authenticated,reject
127.0.0.1:{submissions} inet n - n - - smtpd
  -o smtpd_sasl_auth_enable=yes
  -o smtpd_tls_wrappermode=yes
  -o smtpd_relay_restrictions=permit_sasl_authenticated,reject
pickup    unix  n       -       n       60      1       pickup
cleanup   unix  n       -       n       -       0       cleanup
qmgr      unix  n       -       n       300     1       qmgr
tlsmgr    unix  -       -       n       1000?   1       tlsmgr
rewrite   unix  -       -       n       -       -       trivial-rewrite
bounce    unix  -       -       n       -       0       bounce
defer     unix  -       -       n       -       0       bounce
trace     unix  -       -       n       -       0       bounce
verify    unix  -       -       n       -       1       verify
flush     unix  n       -       n       1000?   0       flush
proxymap  unix  -       -       n       -       -       proxymap
smtp      unix  -       -       n       -       -       smtp
relay     unix  -       -       n       -       -       smtp
showq     unix  n       -       n       -       -       showq
error     unix  -       -       n       -       -       error
retry     unix  -       -       n       -       -       error
discard   unix  -       -       n       -       -       discard
lmtp      unix  -       -       n       -       -       lmtp
anvil     unix  -       -       n       -       1       anvil
scache    unix  -       -       n       -       1       scache
postlog   unix-dgram n  -       n       -       1       postlogd
"""

DOVECOT = """\
base_dir = {dir}/run
state_dir = {dir}/state
log_path = {dir}/dovecot.log
instance_name = {dir}
protocols = imap lmtp
listen = 127.0.0.1
ssl = yes
ssl_cert = <{dir}/host.pem
ssl_key = <{dir}/host.pem
disable_plaintext_auth = no
auth_mechanisms = plain login xoauth2 oauthbearer
auth_cache_size = 0
auth_failure_delay = 0
mail_location = maildir:{dir}/mail/%d/%n
mail_uid = mail
mail_gid = mail
first_valid_uid = 1
first_valid_gid = 1
mail_fsync = never
recipient_delimiter = +
lmtp_save_to_detail_mailbox = no
mail_max_userip_connections = 100
mailbox_idle_check_interval = 1 s
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%u {dir}/users/%u
}}
passdb {{
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {dir}/oauth.conf
}}
userdb {{
  driver = passwd-file
  args = username_format=%u {dir}/users/%u
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
    ssl = yes
  }}
}}
service lmtp {{
  chroot =
  inet_listener lmtp {{
    address = 127.0.0.1
    port = {lmtp}
  }}
}}
service auth {{
  inet_listener sasl {{
    address = 127.0.0.1
    port = {sasl}
  }}
}}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  chroot =
}}
"""

DOVECOT_OAUTH = """\
introspection_mode = post
introspection_url = http://127.0.0.1:{tokens}/introspect
username_attribute = user
active_attribute = active
active_value = true
"""

RSPAMD = """\
.include "$CONFDIR/common.conf"
options {{
  pidfile = "{dir}/rspamd.pid";
  filters = "chartable,dkim,regexp";
  cache_file = "{dir}/symbols.cache";
  control_socket = "{dir}/control.sock mode=0600";
  tempdir = "{dir}";
  url_tld = "{dir}/suffixes";
  classify_headers = [];
  disable_hyperscan = true;
  history_rows = 1;
  local_addrs = [];
  allow_raw_input = true;
  task_timeout = 8s;
  dns {{
    nameserver = ["127.0.0.1:{dead}"];
    timeout = 0.1s;
    retransmits = 1;
  }}
}}
logging {{
  type = "file";
  filename = "{dir}/rspamd.log";
  level = "warning";
}}
worker "rspamd_proxy" {{
  bind_socket = "127.0.0.1:{milter}";
  milter = yes;
  timeout = 30s;
  count = 1;
  upstream "local" {{
    default = yes;
    self_scan = yes;
  }}
}}
dkim_signing {{ enabled = false; }}
arc {{ enabled = false; }}
rbl {{ enabled = false; }}
surbl {{ enabled = false; }}
asn {{ enabled = false; }}
fuzzy_check {{ enabled = false; }}
phishing {{ enabled = false; }}
greylist {{ enabled = false; }}
ratelimit {{ enabled = false; }}
neural {{ enabled = false; }}
mx_check {{ enabled = false; }}
milter_headers {{
  use = ["x-spamd-result"];
  skip_local = false;
  skip_authenticated = false;
  extended_spam_headers = true;
}}
"""

# The whole list of domain suffixes takes rspamd fifteen seconds to compile.
SUFFIXES = """\
com
org
net
example
"""
