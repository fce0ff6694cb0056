/** What is wrong with endpoints of which each is well formed: what only this node, and how it is run, can tell. */
import { checkEndpoint, GatewayOptionError } from '../../gateway/index.js';
import { type Endpoint, PUBLISHED_SECRET } from '../endpoint.js';

interface EndpointRules {
  /** `start`: what is good for trying out only is refused. */
  readonly mode: 'up' | 'start';
  /** Types that an endpoint may name; undefined: they are not known, and any will do. */
  readonly actors: readonly string[] | undefined;
}

/** A signature covers the id alone: of the rest of a body, only the token says who sent it. */
const TOKEN_LENGTH_MIN = 16;

/** Each problem names the field, and shows no secret. */
function ruleProblems(endpoint: Endpoint, { mode, actors }: EndpointRules): readonly string[] {
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
    problems.push(`actor: ${actor} is not there; known: ${actors.join(', ')}`);
  }
  for (const [at, { to }] of (endpoint.routes ?? []).entries()) {
    // A target is forward's own.
    for (const name of to.map((destination) => destination.split(':')[0] ?? destination)) {
      if (actors === undefined || actors.includes(name)) continue;
      problems.push(`routes[${at}].to: ${name} is not there; known: ${actors.join(', ')}`);
    }
  }
  try {
    checkEndpoint(endpoint);
  } catch (error) {
    if (!(error instanceof GatewayOptionError)) throw error;
    problems.push(error.message.replace(`endpoint ${endpoint.name}: `, ''));
  }
  return problems;
}

export { type EndpointRules, ruleProblems };
