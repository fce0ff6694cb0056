/** What is looked at when nodes run: what they say of themselves and of one another, and what the world sees of the balancer before them. */
import { isIP } from 'node:net';
import { connect as tlsConnect } from 'node:tls';
import type { z } from 'zod';
import { type Status, statusSchema } from '../../gateway/api/status-schema.js';
import { type Check, type Finding, failed, type Group, ok, skipped, warning } from '../doctor/check.js';
import { isLoopback } from '../doctor/loopback.js';
import { SmokeFailure, SmokeHttp } from '../smoke/http.js';

interface LiveTarget {
  /** Where senders and clients come to. */
  readonly url: string;
  /** Where `/api` is. */
  readonly apiUrl: string;
  readonly apiToken: string;
}

const CERTIFICATE_DAYS_MIN = 14;
const TLS_MS_MAX = 4_000;
const DAY_MS = 86_400_000;
/** What is nobody's business outside. */
const HIDDEN = ['/api/status', '/metrics', '/console'];
/** What a node does within the second. */
const BEHIND_MS_MAX = 1_000;

function liveGroups(target: LiveTarget): readonly Group[] {
  return [
    { id: 'running', title: 'The nodes that run', checks: runningChecks(target) },
    { id: 'edge', title: 'What the world sees', checks: edgeChecks(target) },
  ];
}

function runningChecks({ apiUrl, apiToken }: LiveTarget): readonly Check[] {
  const onStatus = (id: string, title: string, judge: (status: Status) => Finding): Check => ({
    id,
    title,
    run: ({ signal }) =>
      asFinding(async () =>
        judge(
          await new SmokeHttp(signal).json(
            apiUrl,
            'GET',
            '/api/status',
            statusSchema as z.ZodType<Status>,
            apiToken,
          ),
        ),
      ),
  });
  return [
    onStatus(
      'running-findings',
      'Nothing is the matter with the node that was asked',
      ({ node, findings }) => {
        const told = findings
          .map(({ severity, code, detail }) => `${severity} ${code}: ${detail}`)
          .join('\n');
        const advice = findings.map((each) => each.advice).join('\n');
        if (findings.some(({ severity }) => severity === 'critical')) return failed(told, advice);
        if (findings.some(({ severity }) => severity === 'warning')) return warning(told, advice);
        return ok(`${node.name}, version ${node.version}: ${told === '' ? 'no findings' : told}`);
      },
    ),
    onStatus('running-nodes', 'There is more than one of each part', ({ node, cluster }) => {
      if (cluster === null)
        return warning(
          `${node.name} is alone`,
          'while it is upgraded, or broken, senders are refused: run several nodes, docs/how-to/run-many-nodes.md',
        );
      const { nodes, gateways } = cluster;
      const takes = node.role === 'all' ? [...new Set([...nodes, ...gateways])] : gateways;
      const found = `${takes.length} take messages, ${nodes.length} work`;
      if (nodes.length === 0) return failed(found, 'start a worker: what is acknowledged waits for one');
      if (takes.length < 2 || nodes.length < 2)
        return warning(found, 'two of each: one may be upgraded, or break, and nobody notices');
      return ok(`${found}: ${[...new Set([...takes, ...nodes])].join(', ')}`);
    }),
    onStatus('running-log', 'The log takes messages, and they are worked off', ({ log, pools }) => {
      const behind = Math.max(0, ...pools.map(({ behindMs }) => behindMs));
      const found = `${log.driver} ${log.state}, ${log.lag} messages wait`;
      if (log.state !== 'open') return failed(found, 'GET /readyz of the nodes says why');
      return behind > BEHIND_MS_MAX
        ? warning(`${found}, ${Math.round(behind / 1_000)} s behind`, 'tether top says what limits it')
        : ok(found);
    }),
    onStatus('running-pools', 'Every pool works', ({ node, pools }) => {
      if (node.role === 'gateway') return skipped('a gateway was asked: it has none');
      const still = pools.filter(
        ({ mode, outage, unstable }) => mode !== 'running' || outage !== null || unstable,
      );
      if (still.length === 0)
        return ok(pools.map(({ actor, threads }) => `${actor} ${threads.length}`).join(', '));
      return failed(
        still
          .map(
            ({ actor, mode, outage }) => `${actor}: ${mode}${outage === null ? '' : `, waits for ${outage}`}`,
          )
          .join('; '),
        'tether pools resume ACTOR, or mend what it waits for',
      );
    }),
    onStatus('running-dead-letters', 'No dead letters wait', ({ totals }) => {
      const { deadLettersWaiting: waiting } = totals;
      if (waiting === null) return warning('nobody knows: their store cannot be asked', 'is Postgres there?');
      return waiting === 0
        ? ok('none')
        : warning(`${waiting} wait`, 'tether dead list: replay them or drop them');
    }),
  ];
}

function edgeChecks({ url, apiUrl }: LiveTarget): readonly Check[] {
  const { protocol, hostname, port } = new URL(url);
  const isTls = protocol === 'https:';
  return [
    {
      id: 'edge-tls',
      title: 'Senders come by TLS, with a certificate that they believe',
      async run() {
        if (!isTls)
          return (await isLoopback(hostname))
            ? ok('no TLS, and on this machine alone')
            : failed(
                `${url} is plain HTTP`,
                'passwords and payments can be read on the way: put a balancer with TLS before it',
              );
        const seen = await certificateOf(hostname, Number(port) || 443);
        if ('problem' in seen) return failed(seen.problem, 'the whole chain, for this name, not expired');
        const days = Math.floor((seen.until - Date.now()) / DAY_MS);
        const found = `${seen.protocol}, certificate for ${days} days more`;
        return days < CERTIFICATE_DAYS_MIN
          ? warning(found, 'renew it, and have it renewed by a program')
          : ok(found);
      },
    },
    {
      id: 'edge-plain',
      title: 'Plain HTTP is sent away',
      run: ({ signal }) =>
        asFinding(async () => {
          if (!isTls || port !== '') return skipped('the address is not that of the usual port of HTTPS');
          const plain = `http://${hostname}`;
          const answer = await new SmokeHttp(signal).request(plain, 'GET', '/health').catch(() => undefined);
          if (answer === undefined) return ok('nobody answers');
          return answer.status >= 300 && answer.status < 400
            ? ok(`${answer.status} to HTTPS`)
            : failed(`GET ${plain}/health: ${answer.status}`, 'redirect it, or close the port');
        }),
    },
    {
      id: 'edge-hidden',
      title: 'The API, metrics and the console are for those inside',
      run: ({ signal }) =>
        asFinding(async () => {
          if (apiUrl === url)
            return skipped('--api-url is not given: the API is asked for at the address of senders');
          const http = new SmokeHttp(signal);
          const answers = await Promise.all(
            // Without a token: 401 means that it can be reached.
            HIDDEN.map(async (path) => ({ path, status: (await http.request(url, 'GET', path)).status })),
          );
          const open = answers.filter(({ status }) => status !== 403 && status !== 404 && status < 500);
          return open.length === 0
            ? ok(answers.map(({ path, status }) => `${path} ${status}`).join(', '))
            : warning(
                `${open.map(({ path }) => path).join(', ')} can be reached from here`,
                'if this is not a machine inside: let the balancer refuse them',
              );
        }),
    },
  ];
}

async function asFinding(work: () => Promise<Finding>): Promise<Finding> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof SmokeFailure)) throw error;
    return failed(error.message, error.advice ?? 'is it the address of a node, and does it run?');
  }
}

type Seen = { readonly until: number; readonly protocol: string } | { readonly problem: string };

function certificateOf(host: string, port: number): Promise<Seen> {
  return new Promise((resolve) => {
    const socket = tlsConnect(
      { host, port, ...(isIP(host) === 0 ? { servername: host } : {}), timeout: TLS_MS_MAX },
      () => {
        const { valid_to: until } = socket.getPeerCertificate();
        resolve({ until: Date.parse(until), protocol: socket.getProtocol() ?? 'TLS' });
        socket.destroy();
      },
    );
    socket.once('timeout', () => socket.destroy(new Error(`no answer within ${TLS_MS_MAX} ms`)));
    socket.once('error', (error) => resolve({ problem: error.message }));
  });
}

export { type LiveTarget, liveGroups };
