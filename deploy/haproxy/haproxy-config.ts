/**
 * The haproxy.cfg in front of gateway nodes: of the cluster on one machine, and `haproxy.cfg` beside this file for one of several.
 *
 * - A node that does not serve gets nothing: HAProxy asks `/health`, which fails while a node drains, starts or has lost its log.
 * - Webhooks are sent again by HAProxy itself, to another node, when a node died under them or drains: whether or not the first one kept the
 *   message, its deduplication key makes the second one do nothing. So a node that is killed or upgraded costs a sender no error.
 * - Everything else is repeated only when no node has seen a byte of it. An upload that is sent twice without an idempotency key is two uploads.
 * - Who asks is told to the nodes in `X-Forwarded-For`, which HAProxy sets anew whatever a client says, and which they believe because
 *   `TETHER_TRUSTED_PROXIES` names HAProxy. Not by PROXY protocol: its header may come in a segment of its own, and this uWebSockets.js answers
 *   505 to a request whose first line does not end in the segment that it begins in; under load that was one request of a thousand.
 */

/** Towards the internet. Without it HAProxy is for this machine alone, and bounds nobody. */
export interface HaproxyEdge {
  /** File of the certificate, its chain and its key. */
  readonly certificate: string;
  /** Where plain HTTP is sent away to HTTPS; `host:port` */
  readonly plainBind: string;
  /** Who may see the console, the API and metrics. */
  readonly internalNetworks: readonly string[];
  /** Plain HTTP, `host:port`: whoever reaches it may see these. For where addresses say nothing of who asks. */
  readonly internalBind?: string;
  /** Connections of one address at a time. */
  readonly connectionsMax: number;
  /** Requests of one address in ten seconds, webhooks left out: those come in bursts from a few addresses. */
  readonly requestsMax: number;
  /** Of a webhook, as far as its length is told. */
  readonly webhookBytesMax: number;
  readonly uploadBytesMax: number;
}

export interface HaproxyOptions {
  /** `host:port` */
  readonly bind: string;
  readonly gateways: readonly { readonly name: string; readonly address: string }[];
  /** Of the page that shows what HAProxy knows; by plain HTTP and without a password, so for this machine alone. */
  readonly statsBind: string;
  /** After which a stop ends what still goes on, such as event streams. */
  readonly drainSeconds: number;
  /** Between two health checks of a server that is well, and how many must fail. */
  readonly check?: { readonly everyMs: number; readonly fall: number };
  /** `host:port` of a DNS server that is asked for the names of gateways again and again. Without it they are looked up once, at the start. */
  readonly resolver?: string;
  readonly edge?: HaproxyEdge;
}

const CHECK = { everyMs: 500, fall: 2 };
/** Between checks once one has failed. */
const FAST_CHECK_MS = 200;
/** Where checks are seldom: a connection that fails has the server checked at once. */
const OBSERVED = ' observe layer4 error-limit 1 on-error fastinter';

export function haproxyConfig(options: HaproxyOptions): string {
  const { edge, check = CHECK } = options;
  const servers = (settings: (name: string) => string) =>
    options.gateways.map(({ name, address }) => `    server ${name} ${address} ${settings(name)}`).join('\n');
  return `global
    maxconn 8192
    hard-stop-after ${options.drainSeconds}s
    log stdout format raw daemon info${edge === undefined ? '' : GLOBAL_OF_EDGE}

defaults
    mode http
    log global
    option httplog
    # Of requests, only those that went wrong or were repeated.
    option dontlog-normal
    option dontlognull
    timeout connect 3s
    timeout queue 5s
    timeout http-request 15s
    timeout http-keep-alive 60s
    # Of silence: an upload may take hours while bytes come, an event stream says something every few seconds.
    timeout client 60s
    timeout server 60s
    timeout check 1s
    balance leastconn
    # Each further try goes to another node.
    retries 2
    option redispatch 1
    retry-on conn-failure
${options.resolver === undefined ? '' : RESOLVED}
frontend edge
    bind ${options.bind}${edge === undefined ? '' : limitsOf(edge)}
    # Also what a client has put there itself.
    http-request set-header X-Forwarded-For %[src]
    use_backend webhooks if { path_beg /webhooks/ }
    default_backend others

backend webhooks
    option httpchk
    # HTTP/1.0, which a check speaks by default, is refused.
    http-check send meth GET uri /health ver HTTP/1.1 hdr Host tether
    http-check expect status 200
    default-server check inter ${check.everyMs}ms fastinter ${FAST_CHECK_MS}ms downinter ${check.everyMs}ms fall ${check.fall} rise 1${options.check === undefined ? '' : OBSERVED}
    retry-on conn-failure empty-response 503
    # A webhook is answered in milliseconds; its sender repeats what is not.
    timeout server 15s
${servers(() => '')}

backend others
    # A request that is not sent twice never goes by a connection that its node may be about to close: each gets one of its own, and where
    # that is refused, another node.
    option http-server-close
${servers((name) => `track webhooks/${name}`)}

${edge === undefined ? '' : REQUESTS_OF_EDGE}${options.resolver === undefined ? '' : resolversOf(options.resolver)}frontend stats
    bind ${options.statsBind}
    stats enable
    stats uri /
    stats refresh 2s
`.replaceAll(/ +$/gm, '');
}

/** A gateway whose name is unknown, as that of one that does not run is, waits until there is an address. */
const RESOLVED = `    default-server resolvers names init-addr libc,none
`;

const resolversOf = (address: string) => `resolvers names
    nameserver network ${address}
    timeout resolve 1s
    timeout retry 1s
    hold valid 5s

`;

const GLOBAL_OF_EDGE = `
    ssl-default-bind-options ssl-min-ver TLSv1.2 no-tls-tickets
    tune.ssl.default-dh-param 2048`;

const REQUESTS_OF_EDGE = `backend requests
    stick-table type ipv6 size 200k expire 30s store http_req_rate(10s)

`;

/** What the internet may do, and what it may not see. */
function limitsOf(edge: HaproxyEdge): string {
  const operators = operatorsOf(edge.internalBind);
  return ` ssl crt ${edge.certificate} alpn h2,http/1.1
    # Behind a balancer that passes on bytes, such as one of a cloud: accept-proxy at the end of the line above.
    bind ${edge.plainBind}${operators.bind}

    # One address: so many connections, and (below) so many requests in ten seconds but for webhooks.
    stick-table type ipv6 size 200k expire 30s store conn_cur
    tcp-request connection track-sc0 src
    tcp-request connection reject if { sc0_conn_cur gt ${edge.connectionsMax} }

    acl internal src ${edge.internalNetworks.join(' ')}${operators.acl}
    http-request redirect scheme https code 308 unless { ssl_fc }${operators.unless}
    http-response set-header Strict-Transport-Security max-age=31536000

    # Tokens of endpoints stand in the paths of webhooks, and are secrets: the log has the path without.
    http-request set-var(txn.path) 'path,regsub("^(/webhooks/[^/]*)/.*$","\\1/-")'
    log-format "%ci %HM %[var(txn.path)] %ST %B %Ta ms %b/%s"

    acl webhook path_beg /webhooks/
    acl upload path_beg /uploads
    acl health path /health
    http-request deny deny_status 403 unless webhook or upload or health or internal
    http-request deny deny_status 413 if webhook { req.body_size gt ${edge.webhookBytesMax} }
    http-request deny deny_status 413 if upload { req.body_size gt ${edge.uploadBytesMax} }
    http-request track-sc1 src table requests unless webhook or internal
    http-request deny deny_status 429 if { sc1_http_req_rate gt ${edge.requestsMax} }`;
}

function operatorsOf(bind: string | undefined): Readonly<Record<'bind' | 'acl' | 'unless', string>> {
  if (bind === undefined) return { bind: '', acl: '', unless: '' };
  const port = bind.slice(bind.lastIndexOf(':') + 1);
  return {
    bind: `
    # For operators: published to the machine itself, and to nobody else.
    bind ${bind}`,
    acl: `
    acl internal dst_port ${port}
    acl operators dst_port ${port}`,
    unless: ' or operators',
  };
}
