/** Checks of Redis: that it keeps what it has taken, and that it is nobody else's. */
import { serversOf } from '../../storage/redis/client.js';
import { parseRedisUrl } from '../../storage/redis/url.js';
import { checkServerSettings, readServerSettings } from '../../storage/redis-log/server-settings.js';
import { type Check, failed, ok, skipped, warning } from './check.js';
import { isLoopback, isLoopbackAddress } from './loopback.js';
import { asStranger, infoOf, nameOf, onRedis, placeOf, settingOf, withRedis } from './redis-probe.js';
import { atLeast } from './versions.js';

/** Its scripts may carry flags from here on. */
const VERSION_MIN = 7;
const SETTINGS_ADVICE = (settings: string) =>
  `in redis.conf, and by CONFIG SET at once: ${settings}\nsee docs/how-to/run-many-nodes.md`;

const reach: Check = {
  id: 'redis-reach',
  title: 'Redis answers, and is new enough',
  run: (context) =>
    withRedis(context, async (connected) => {
      if (connected.problem !== undefined) {
        const secret = /NOAUTH|WRONGPASS|invalid username-password|AUTH failed/i.test(connected.problem);
        return failed(
          connected.problem,
          secret
            ? 'put the user and password that Redis knows into TETHER_REDIS_URL'
            : 'start Redis, or mend TETHER_REDIS_URL and the network between',
        );
      }
      const versions = await Promise.all(
        connected.servers.map(({ redis }) => infoOf(redis, 'server', 'redis_version')),
      );
      const found = `${connected.servers.map(nameOf).join(', ')}: version ${[...new Set(versions)].join(', ')}`;
      return versions.some((version) => !isNewEnough(version))
        ? failed(found, `Tether needs Redis ${VERSION_MIN} or later, on each server`)
        : ok(found);
    }),
};

/** A version that is not told is none to rely on. */
function isNewEnough(version: string | undefined): boolean {
  return version !== undefined && atLeast(version, `${VERSION_MIN}`);
}

const auth: Check = {
  id: 'redis-auth',
  title: 'Redis asks who is there',
  run: (context) =>
    onRedis(context, async (servers) => {
      const tls = parseRedisUrl(context.settings.redisUrl ?? '')?.tls === true;
      const asked = await Promise.all(
        servers.map(async (server) => ({ server, answer: await asStranger(server, tls) })),
      );
      const open = asked.filter(({ answer }) => answer === 'open').map(({ server }) => server);
      if (open.length === 0) return ok('without a password it answers nothing');
      const found = `${open.map(nameOf).join(', ')} serves everybody, without a password`;
      const advice = SETTINGS_ADVICE('requirepass, or users by ACL with the user default off');
      return open.every(({ host }) => isLoopbackAddress(host))
        ? warning(`${found}: every program on this machine can read and forge messages`, advice)
        : failed(`${found}, at an address that is not this machine's alone`, advice);
    }),
};

const bind: Check = {
  id: 'redis-bind',
  title: 'Redis listens where it should',
  run: (context) =>
    onRedis(context, async (servers) => {
      const tls = parseRedisUrl(context.settings.redisUrl ?? '')?.tls === true;
      const lines: string[] = [];
      let open = false;
      let told = false;
      for (const server of servers) {
        const addresses = await settingOf(server.redis, 'bind');
        const isProtected = await settingOf(server.redis, 'protected-mode');
        if (addresses === undefined) {
          lines.push(`${nameOf(server)} does not tell (CONFIG is refused)`);
          continue;
        }
        told = true;
        const shown = addresses === '' ? 'every address' : addresses;
        lines.push(`${nameOf(server)}: bind ${shown}, protected-mode ${isProtected ?? 'unknown'}`);
        if (isProtected !== 'yes' && !bindsLoopbackOnly(addresses)) {
          open ||= (await asStranger(server, tls)) === 'open';
        }
      }
      if (open) {
        return failed(
          `${lines.join('\n')}\nit serves everybody who reaches it, without a password`,
          SETTINGS_ADVICE('bind to a private address, and requirepass'),
        );
      }
      if (!told) return skipped(lines.join('\n'));
      return ok(`${lines.join('\n')}; whether a firewall stands before it, a process cannot see`);
    }),
};

/** As Redis writes it: a `-` says that an address may be missing, `*` and `::*` are every one. */
function bindsLoopbackOnly(addresses: string): boolean {
  const list = addresses.split(/\s+/).filter((address) => address !== '');
  return list.length > 0 && list.every((address) => isLoopbackAddress(address.replace(/^-/, '')));
}

const eviction: Check = {
  id: 'redis-eviction',
  title: 'Redis removes nothing by itself',
  run: (context) =>
    onRedis(context, async (_, client) => {
      const all = await readServerSettings(client);
      const shown = all
        .map(({ eviction, maxBytes }) => `${eviction}, maxmemory ${maxBytes === 0 ? 'not set' : maxBytes}`)
        .join('; ');
      const advice = SETTINGS_ADVICE('maxmemory-policy noeviction');
      if (all.some(({ eviction, maxBytes }) => eviction !== 'noeviction' && maxBytes > 0)) {
        return failed(
          `maxmemory-policy ${shown}: messages go when its memory is full; a node refuses to start`,
          advice,
        );
      }
      if (all.some(({ eviction }) => eviction !== 'noeviction')) {
        return warning(`maxmemory-policy ${shown}: messages would go as soon as a limit is set`, advice);
      }
      if (all.some(({ maxBytes }) => maxBytes === 0)) {
        return warning(
          `maxmemory-policy ${shown}: the log may take all memory of its machine, and Redis with it`,
          SETTINGS_ADVICE(
            'maxmemory to about three quarters of the memory; a full log answers 503, and loses nothing',
          ),
        );
      }
      return ok(`maxmemory-policy ${shown}`);
    }),
};

const SYNC_MEANS = {
  always: 'synced before an acknowledgement; a crash of its machine loses nothing',
  everysec: 'synced every second; a crash of its machine may lose the last second',
  no: 'synced when its kernel likes; a crash of its machine may lose the last half minute',
  unknown: 'when it is synced the server does not tell',
};

const aof: Check = {
  id: 'redis-aof',
  title: 'Redis writes what it takes to a file',
  run: (context) =>
    onRedis(context, async (_, client) => {
      const sync = checkServerSettings(
        (await readServerSettings(client)).map((settings) => ({ ...settings, eviction: 'noeviction' })),
        false,
      );
      if (sync === undefined) {
        const found = 'appendonly no: its end loses every message that waits';
        const advice = SETTINGS_ADVICE('appendonly yes, appendfsync everysec or always');
        return context.settings.durability === 'memory'
          ? warning(`${found}; TETHER_DURABILITY=memory says that this is meant`, advice)
          : failed(`${found}; a node refuses to start`, advice);
      }
      const late = await Promise.all(
        serversOf(client).map((redis) => infoOf(redis, 'persistence', 'aof_last_write_status')),
      );
      if (late.some((status) => status === 'err')) {
        return failed(
          'its last write to the append-only file failed',
          'look at the disk of Redis: is it full, or broken?',
        );
      }
      const found = `appendonly yes, appendfsync ${sync}: ${SYNC_MEANS[sync]}`;
      return sync === 'no' ? warning(found, SETTINGS_ADVICE('appendfsync everysec or always')) : ok(found);
    }),
};

const replicas: Check = {
  id: 'redis-replicas',
  title: 'Redis has the replica that an acknowledgement waits for',
  async run(context) {
    const found = placeOf(context);
    if ('none' in found) return found.none;
    const { durability } = context.settings;
    if (durability !== 'replicated') return skipped(`TETHER_DURABILITY is ${durability}: none is waited for`);
    return onRedis(context, async (servers) => {
      const counts = await Promise.all(
        servers.map(({ redis }) => infoOf(redis, 'replication', 'connected_slaves')),
      );
      return counts.every((count) => Number(count) >= 1)
        ? ok(`${counts.join(', ')} connected`)
        : failed(
            'no replica is connected: nothing is acknowledged',
            'start a replica, or see why it is not in step',
          );
    });
  },
};

const encrypted: Check = {
  id: 'redis-tls',
  title: 'What goes to Redis is encrypted, or stays on this machine',
  async run(context) {
    const found = placeOf(context);
    if ('none' in found) return found.none;
    const { place } = found;
    if (place.tls) return ok('TLS, and its certificate is checked');
    const local = await Promise.all(place.nodes.map(({ host }) => isLoopback(host)));
    if (local.every(Boolean)) return ok('no TLS, and on this machine alone');
    return warning(
      'no TLS: its password, and every message, can be read on the way',
      'set up TLS and write rediss://, or be sure that the network is yours alone',
    );
  },
};

const redisChecks: readonly Check[] = [reach, auth, bind, eviction, aof, replicas, encrypted];

export { isNewEnough, redisChecks };
