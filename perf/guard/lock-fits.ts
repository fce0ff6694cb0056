/** Whether one checkout can be run with the packages of another. Pure. */
import { z } from 'zod';

const LOCK = z.object({
  packages: z.record(
    z.string(),
    z.object({ version: z.string().optional(), integrity: z.string().optional() }),
  ),
});

/** The checkout itself. */
const ROOT = '';

/**
 * Whether all that the lock file of `base` wants is installed by that of `head`, in the same place and version. More does no harm.
 *
 * @param base @param head contents of package-lock.json
 */
export function lockFits(base: unknown, head: unknown): boolean {
  const [wanted, there] = [LOCK.safeParse(base), LOCK.safeParse(head)];
  if (!wanted.success || !there.success) return false;
  return Object.entries(wanted.data.packages).every(([place, { version, integrity }]) => {
    if (place === ROOT) return true;
    const found = there.data.packages[place];
    return found !== undefined && found.version === version && found.integrity === integrity;
  });
}
