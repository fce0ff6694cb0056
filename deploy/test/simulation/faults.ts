/** What goes wrong in a run, drawn from its seed: each fault has a beginning, and an end after which everything is there again. */
import type { Cluster, Site } from './cluster.js';
import type { Dice } from './dice.js';
import type { Link } from './network.js';
import type { Process } from './process.js';
import type { Timeline } from './timeline.js';

interface World {
  readonly timeline: Timeline;
  readonly dice: Dice;
  readonly cluster: Cluster;
}

type Fault = (world: World, site: Site) => void;

const HOUR_MS = 3_600_000;

const FAULTS: Readonly<Record<string, Fault>> = {
  kill: ({ cluster, dice }, site) => cluster.kill(site, false, dice.between(100, 4_000)),

  powerLoss: ({ cluster, dice }, site) => cluster.kill(site, true, dice.between(500, 6_000)),

  restart: ({ cluster }, site) => cluster.restart(site),

  /** Nothing goes wrong: a pool moves partitions from thread to thread, while they may come and go. */
  moves({ timeline, dice }, site) {
    for (let n = dice.whole(1, 6); n > 0; n--) {
      const index = dice.whole(0, 3);
      timeline.in(dice.between(0, 800), () => {
        if (site.node?.process.mode === 'running') site.node.threads?.move(index);
      });
    }
  },

  threadLoss: ({ cluster, dice }, site) => {
    if (site.node?.process.mode !== 'running') return;
    cluster.trace(`${site.machine.name} loses a thread`);
    site.node.threads?.loseThread(dice.whole(0, 1));
  },

  pause: (world, site) => {
    const { node, machine } = site;
    // Mostly past its leases.
    if (node !== undefined)
      pause(world, machine.name, node.process, world.dice.chance(0.2) ? [50, 3_000] : [3_200, 6_500]);
  },

  cutFromRedis: (world, site) => cut(world, `${site.machine.name} from redis`, [site.toRedis]),

  cutFromPostgres: (world, site) => cut(world, `${site.machine.name} from postgres`, [site.toPostgres]),

  cutFromAll: (world, site) => cut(world, site.machine.name, [site.toRedis, site.toPostgres]),

  slow({ timeline, dice, cluster }, site) {
    const link = dice.pick([site.toRedis, site.toPostgres]);
    const ms = dice.between(20, 700);
    cluster.trace(`a link of ${site.machine.name} is slow: ${Math.round(ms)} ms`);
    link.delayMsMax = ms;
    timeline.in(
      dice.between(500, 4_000),
      () => {
        link.delayMsMax = 1;
      },
      true,
    );
  },

  reset({ cluster, dice }, site) {
    cluster.trace(`connections of ${site.machine.name} are reset`);
    for (const link of [site.toRedis, site.toPostgres]) {
      for (const connection of [...link.connections]) if (dice.chance(0.6)) connection.reset();
    }
  },

  redisCrash({ timeline, dice, cluster }) {
    const { redis } = cluster;
    if (redis.process.mode === 'dead') return;
    cluster.trace('redis crashes');
    redis.crash(dice.chance(0.3));
    timeline.in(
      dice.between(50, 3_000),
      () => {
        cluster.trace('redis is there again');
        redis.start();
      },
      true,
    );
  },

  redisPause: (world) => pause(world, 'redis', world.cluster.redis.process, [50, 3_500]),

  redisFull({ timeline, dice, cluster }) {
    cluster.trace('redis is full');
    cluster.redis.state.full = true;
    timeline.in(
      dice.between(300, 3_000),
      () => {
        cluster.redis.state.full = false;
      },
      true,
    );
  },

  postgresCrash({ timeline, dice, cluster }) {
    const { postgres } = cluster;
    if (postgres.process.mode === 'dead') return;
    cluster.trace('postgres crashes');
    postgres.crash(dice.chance(0.3));
    timeline.in(
      dice.between(50, 3_000),
      () => {
        cluster.trace('postgres is there again');
        postgres.start();
      },
      true,
    );
  },

  postgresPause: (world) => pause(world, 'postgres', world.cluster.postgres.process, [50, 4_000]),

  clockOfNode({ dice, cluster }, site) {
    site.machine.jumpedMs += Math.round(dice.between(-HOUR_MS, HOUR_MS));
    cluster.trace(`the wall clock of ${site.machine.name} jumps`);
  },

  clockOfRedis({ dice, cluster }) {
    const ms = Math.round(dice.between(-3_000, 4_000));
    cluster.redis.machine.jumpedMs += ms;
    cluster.trace(`the wall clock of redis jumps by ${ms} ms`);
  },
};

/** Besides: what makes nodes go on that have lost their partitions. */
const OFTEN = ['pause', 'pause', 'pause', 'pause', 'pause', 'pause', 'cutFromRedis', 'cutFromRedis', 'kill'];

const OFTEN_IF_LOSSY = new Array<string>(10).fill('redisCrash');

export interface FaultPlan {
  /** How many. */
  readonly count: number;
  /** In which time they begin. */
  readonly withinMs: number;
  /** A crash of Redis loses something. */
  readonly everysec: boolean;
}

/** Has faults come. Each ends by itself; `endFaults` ends what is left. */
export function beginFaults(world: World, { count, withinMs, everysec }: FaultPlan): void {
  const { timeline, dice, cluster } = world;
  const names = [...Object.keys(FAULTS), ...OFTEN, ...(everysec ? OFTEN_IF_LOSSY : [])];
  // Some runs meet one kind again and again.
  const some = dice.chance(0.5) ? names : [dice.pick(names), dice.pick(names), dice.pick(names)];
  for (let n = 0; n < count; n++) {
    const fault = FAULTS[dice.pick(some)];
    const site = dice.pick(cluster.sites);
    // Most of them hit a node that has just begun with something.
    if (dice.chance(0.7)) cluster.atBatch.set(dice.whole(0, 20), (busy) => fault?.(world, busy));
    else timeline.in(dice.between(500, withinMs), () => fault?.(world, site));
  }
}

/** Everything is there again from now on; of the nodes one may be gone for good. */
export function endFaults({ dice, cluster }: World): void {
  cluster.trace('the faults end');
  cluster.atBatch.clear();
  if (cluster.sites.length > 1 && dice.chance(0.2)) {
    const gone = dice.pick(cluster.sites);
    gone.abandoned = true;
    cluster.kill(gone, false, 0);
  }
  const { redis, postgres } = cluster;
  redis.state.full = false;
  if (redis.process.mode === 'dead') redis.start();
  if (postgres.process.mode === 'dead') postgres.start();
  for (const { process } of [redis, postgres, ...cluster.nodes]) process.resume(dice.chance(0.3));
  for (const site of cluster.sites) {
    for (const link of [site.toRedis, site.toPostgres]) {
      link.delayMsMax = 1;
      link.heal();
    }
    cluster.start(site);
  }
}

function pause(
  { timeline, dice, cluster }: World,
  name: string,
  process: Process,
  [min, max]: [number, number],
): void {
  cluster.trace(`${name} stands still`);
  process.pause();
  timeline.in(
    dice.between(min, max),
    () => {
      cluster.trace(`${name} goes on`);
      process.resume(dice.chance(0.3));
    },
    true,
  );
}

function cut({ timeline, dice, cluster }: World, name: string, links: readonly Link[]): void {
  cluster.trace(`cut: ${name}`);
  for (const link of links) link.cut();
  timeline.in(
    dice.chance(0.4) ? dice.between(100, 3_000) : dice.between(3_000, 6_500),
    () => {
      cluster.trace(`there again: ${name}`);
      for (const link of links) link.heal();
    },
    true,
  );
}
