/** The programs that npm does not bring: which are missing, and what to install. */
import { findProgram } from '../../storage/find-program.js';
import { SWIFT_PACKAGES, SWIFT_PROGRAMS } from '../../storage/objects/swift.js';
import { ConfigError } from '../errors.js';

const SERVERS = ['haproxy', 'pgbouncer', 'redis-server'];

/**
 * @param withS3Server false: the object store is one that is given
 * @throws ConfigError that names all that is missing, and the packages of Debian that have it
 */
export function requirePrograms(withS3Server: boolean, find: (name: string) => unknown = findProgram): void {
  // A package of each is called as its program is.
  const servers = SERVERS.filter((name) => find(name) === undefined);
  const swift = withS3Server ? SWIFT_PROGRAMS.filter((name) => find(name) === undefined) : [];
  const missing = [...servers, ...swift];
  if (missing.length === 0) return;
  const packages = [...servers, ...(swift.length > 0 ? [SWIFT_PACKAGES] : [])].join(' ');
  throw new ConfigError([
    `${missing.join(', ')} ${missing.length === 1 ? 'is' : 'are'} not installed`,
    `on Debian and Ubuntu: apt-get install --no-install-recommends ${packages}`,
    ...(swift.length > 0
      ? ['the swift packages and memcached are the S3 server: without them, give one of your own by --s3-url']
      : []),
    'npm run up needs none of them: it is one node with a journal instead of Redis',
  ]);
}
