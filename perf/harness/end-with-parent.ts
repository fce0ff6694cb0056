/** A program under measurement that outlives its benchmark would be in the way of the next one. */

/** Ends this process when the channel to the one that forked it is closed: by a kill, too, which leaves that no time to stop anything. */
export function endWithParent(): void {
  process.once('disconnect', () => process.exit(1));
}
