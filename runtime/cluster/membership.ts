/**
 * Which nodes live, as this node sees it: those whose beat goes on changing.
 *
 * Only time of our own monotonic clock counts, and only time in which we looked: a node is dead when its beat stood still through `aliveMs`
 * of looking. Between two looks no more than `gapMsMax` counts, so that after a pause of ours (SIGSTOP, a long collection, Redis away) nobody
 * is dead because we were not there to see it beat.
 *
 * A node that is new to us counts as live at once; one whose record vanished (Redis lost it) ages like one that is silent.
 */

/** What a node says of itself. */
export interface Announcement {
  readonly node: string;
  /** Of the process: a node that was restarted is another holder. */
  readonly incarnation: string;
  /** Counts up while the process lives. */
  readonly beat: number;
  /** `leaving`: it takes over nothing more. It may still hold leases. */
  readonly state: 'active' | 'leaving';
  /** Partitions that it reads; undefined where an earlier release speaks. For people: what holds are the leases. */
  readonly owned?: readonly number[];
  /** It takes messages in and reads none. It says `leaving` for as long as it lives, so that earlier releases place nothing on it. */
  readonly role?: 'gateway';
}

export interface MembershipPolicy {
  readonly aliveMs: number;
  readonly gapMsMax: number;
}

/** The cluster as a node of it sees it. */
export interface ClusterView {
  /** Nodes that partitions are placed on; by name. */
  readonly nodes: readonly string[];
  /** Nodes that take messages in and read none; by name. */
  readonly gateways: readonly string[];
  /** Who reads each partition; without those that nobody is known to read. */
  readonly owners: ReadonlyMap<number, string>;
}

interface Seen {
  readonly said: Announcement;
  readonly silentMs: number;
}

export interface View {
  /** Undefined: nothing was seen yet. */
  readonly observedAtMs: number | undefined;
  readonly nodes: ReadonlyMap<string, Seen>;
}

export const EMPTY_VIEW: View = { observedAtMs: undefined, nodes: new Map() };

/** The view after one more look. */
export function observe(
  nowMs: number,
  view: View,
  beats: readonly Announcement[],
  policy: MembershipPolicy,
): View {
  const goneMs = view.observedAtMs === undefined ? 0 : Math.max(0, nowMs - view.observedAtMs);
  const countedMs = Math.min(goneMs, policy.gapMsMax);
  const nodes = new Map<string, Seen>();
  for (const said of beats) {
    const before = view.nodes.get(said.node);
    const isSilent =
      before !== undefined &&
      before.said.incarnation === said.incarnation &&
      before.said.beat === said.beat &&
      before.said.state === said.state;
    nodes.set(said.node, { said, silentMs: isSilent ? before.silentMs + countedMs : 0 });
  }
  for (const [node, { said, silentMs }] of view.nodes) {
    const agedMs = silentMs + countedMs;
    if (!nodes.has(node) && agedMs < policy.aliveMs) nodes.set(node, { said, silentMs: agedMs });
  }
  return { observedAtMs: nowMs, nodes };
}

/** Those that partitions are placed on. */
export function placeable({ nodes }: View, { aliveMs }: MembershipPolicy): readonly string[] {
  return [...nodes.values()]
    .filter(({ said, silentMs }) => said.state === 'active' && silentMs < aliveMs)
    .map(({ said }) => said.node);
}

/** The live ones that take messages in and read none. */
export function gatewaysOf({ nodes }: View, { aliveMs }: MembershipPolicy): readonly string[] {
  return [...nodes.values()]
    .filter(({ said, silentMs }) => said.role === 'gateway' && silentMs < aliveMs)
    .map(({ said }) => said.node)
    .sort();
}

/** Which node reads each partition, as the live ones said a beat ago; of one that is on its way, nobody may, or two may say so. */
export function ownersOf({ nodes }: View, { aliveMs }: MembershipPolicy): Map<number, string> {
  return new Map(
    [...nodes.values()]
      .filter(({ silentMs }) => silentMs < aliveMs)
      .flatMap(({ said }) => (said.owned ?? []).map((index) => [index, said.node] as const)),
  );
}

/** Those that have been silent so long that their record may go. */
export function forgettable({ nodes }: View, silentMsMin: number): readonly string[] {
  return [...nodes.values()].filter(({ silentMs }) => silentMs >= silentMsMin).map(({ said }) => said.node);
}
