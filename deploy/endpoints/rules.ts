/** What is wrong with endpoints of which each is well formed: what only this node, and how it is run, can tell. */
import { checkEndpoint } from '../../gateway/endpoints.js';
import { GatewayOptionError } from '../../gateway/errors.js';
import { type Endpoint, PUBLISHED_SECRET } from '../endpoint.js';

interface EndpointRules {
  /** `start`: what is good for trying out only is refused. */
  readonly mode: 'up' | 'start';
  /** Types that an endpoint may name; undefined: they are not known, and any will do. */
  readonly actors: readonly string[] | undefined;
  /** The longest body that the log takes. */
  readonly bodyBytesMax: number;
}

/** A signature covers the id alone: of the rest of a body, only the token says who sent it. */
const TOKEN_LENGTH_MIN = 16;
const FORWARD = 'forward:';

/**
 * Each problem names the field, and shows no secret.
 * @param targets names of those that routes may forward to
 */
function ruleProblems(
  endpoint: Endpoint,
  { mode, actors, bodyBytesMax }: EndpointRules,
  targets: ReadonlySet<string>,
): readonly string[] {
  const { token, secrets, actor } = endpoint;
  const problems: string[] = [];
  if (mode === 'start' && secrets.includes(PUBLISHED_SECRET)) {
    problems.push('secrets: the password of the documentation is public; `tether start` refuses it');
  }
  if (mode === 'start' && token.length < TOKEN_LENGTH_MIN) {
    problems.push(
      `token: has fewer than ${TOKEN_LENGTH_MIN} characters, so it can be guessed; \`tether start\` refuses it`,
    );
  }
  if (actor !== undefined && actors !== undefined && !actors.includes(actor)) {
    problems.push(`actor: ${missing('', actor, actors)}`);
  }
  for (const [at, { to }] of (endpoint.routes ?? []).entries()) {
    for (const destination of to) {
      const problem = destination.startsWith(FORWARD)
        ? missing('target ', destination.slice(FORWARD.length), [...targets])
        : actors && missing('', destination, actors);
      if (problem !== undefined) problems.push(`routes[${at}].to: ${problem}`);
    }
  }
  if (endpoint.bodyBytesMax !== undefined && endpoint.bodyBytesMax > bodyBytesMax) {
    problems.push(`bodyBytesMax: the log takes ${bodyBytesMax}: make TETHER_JOURNAL_SEGMENT_BYTES larger`);
  }
  try {
    checkEndpoint(endpoint);
  } catch (error) {
    if (!(error instanceof GatewayOptionError)) throw error;
    problems.push(error.message.replace(`endpoint ${endpoint.name}: `, ''));
  }
  return problems;
}

function missing(kind: string, name: string, known: readonly string[]): string | undefined {
  if (known.includes(name)) return undefined;
  return `${kind}${name} is not there; known: ${known.length === 0 ? 'none' : known.join(', ')}`;
}

export { type EndpointRules, ruleProblems };
