/**
 * The haproxy.cfg in front of gateway nodes: made for the cluster on one machine, and a pattern for one of several.
 *
 * - A node that does not serve gets nothing: HAProxy asks `/health`, which fails while a node drains, starts or has lost its log.
 * - Webhooks are sent again by HAProxy itself, to another node, when a node died under them or drains: whether or not the first one kept the
 *   message, its deduplication key makes the second one do nothing. So a node that is killed or upgraded costs a sender no error.
 * - Everything else is repeated only when no node has seen a byte of it. An upload that is sent twice without an idempotency key is two uploads.
 * - Who asks is told to the nodes in `X-Forwarded-For`, which HAProxy sets anew whatever a client says, and which they believe because
 *   `TETHER_TRUSTED_PROXIES` names HAProxy. Not by PROXY protocol: its header may come in a segment of its own, and this uWebSockets.js answers
 *   505 to a request whose first line does not end in the segment that it begins in; under load that was one request of a thousand.
 */

export interface HaproxyOptions {
  /** `host:port` */
  readonly bind: string;
  readonly gateways: readonly { readonly name: string; readonly address: string }[];
  /** Of the page that shows what HAProxy knows; by plain HTTP and without a password, so for this machine alone. */
  readonly statsBind: string;
  /** After which a stop ends what still goes on, such as event streams. */
  readonly drainSeconds: number;
}

export function haproxyConfig(options: HaproxyOptions): string {
  const servers = (settings: (name: string) => string) =>
    options.gateways.map(({ name, address }) => `    server ${name} ${address} ${settings(name)}`).join('\n');
  return `global
    maxconn 8192
    hard-stop-after ${options.drainSeconds}s
    log stdout format raw daemon info

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

frontend edge
    # Elsewhere: bind :443 ssl crt /etc/haproxy/tether.pem alpn h2,http/1.1
    bind ${options.bind}
    # Also what a client has put there itself.
    http-request set-header X-Forwarded-For %[src]
    use_backend webhooks if { path_beg /webhooks/ }
    default_backend others

backend webhooks
    option httpchk
    # HTTP/1.0, which a check speaks by default, is refused.
    http-check send meth GET uri /health ver HTTP/1.1 hdr Host tether
    http-check expect status 200
    default-server check inter 500ms fastinter 200ms downinter 500ms fall 2 rise 1
    retry-on conn-failure empty-response 503
    # A webhook is answered in milliseconds; its sender repeats what is not.
    timeout server 15s
${servers(() => '')}

backend others
${servers((name) => `track webhooks/${name}`)}

frontend stats
    bind ${options.statsBind}
    stats enable
    stats uri /
    stats refresh 2s
`.replaceAll(/ +$/gm, '');
}
