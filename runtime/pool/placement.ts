/**
 * Which thread owns which partition, balanced, and moving as few partitions as possible.
 *
 * Each thread gets the whole part of partitions / threads or one more. The threads that get one more are those that own the most
 * now: any other choice moves more. What has to move goes, in the order of the partitions, to the thread that has the fewest; so
 * a first placement (no owner is among `threads`) is `index % threads.length`.
 *
 * @param owners the thread of each partition now; it need not be among `threads`
 * @param threads at least one, each once
 * @returns the thread of each partition
 */
export function placement(owners: readonly number[], threads: readonly number[]): number[] {
  if (threads.length === 0) throw new RangeError('partitions need at least one thread');
  const owned = new Map<number, number>(threads.map((thread) => [thread, 0]));
  for (const owner of owners) {
    const count = owned.get(owner);
    if (count !== undefined) owned.set(owner, count + 1);
  }
  const share = Math.floor(owners.length / threads.length);
  const larger = owners.length % threads.length;
  const byOwned = [...threads].sort((a, b) => (owned.get(b) ?? 0) - (owned.get(a) ?? 0));
  const quota = new Map(byOwned.map((thread, rank) => [thread, rank < larger ? share + 1 : share]));

  const held = new Map<number, number>(threads.map((thread) => [thread, 0]));
  const hasRoom = (thread: number) => (held.get(thread) ?? 0) < (quota.get(thread) ?? 0);
  const take = (thread: number) => held.set(thread, (held.get(thread) ?? 0) + 1);
  const kept = owners.map((owner) => {
    if (!hasRoom(owner)) return undefined;
    take(owner);
    return owner;
  });
  return kept.map((owner) => {
    if (owner !== undefined) return owner;
    const free = threads.filter(hasRoom);
    const thread = free.reduce((a, b) => ((held.get(b) ?? 0) < (held.get(a) ?? 0) ? b : a));
    take(thread);
    return thread;
  });
}
