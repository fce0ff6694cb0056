/**
 * Run in a container, by its health check: ends with 0 when the node beside it answers 200, with 1 otherwise, and says what it got.
 *
 * The argument is the path, `/livez` without one: what restarts a container must not ask for readiness, which fails while Redis is full.
 */
import { request } from 'node:http';

/** Below the time that the health checks of `Dockerfile` and `compose.yml` give. */
const ANSWER_MS_MAX = 2_500;

const path = process.argv[2] ?? '/livez';

const told = await new Promise<string>((resolve) => {
  const asked = request(
    {
      host: '127.0.0.1',
      port: process.env.TETHER_PORT || 8080,
      path,
      agent: false,
      signal: AbortSignal.timeout(ANSWER_MS_MAX),
    },
    (answer) => {
      answer.resume();
      resolve(String(answer.statusCode));
    },
  );
  asked.on('error', (error) => resolve(error.message));
  asked.end();
});
process.stdout.write(`${path}: ${told}\n`);
process.exitCode = told === '200' ? 0 : 1;
