/** What `count-program.ts` says of one hot function. */
import { z } from 'zod';

const DRIVING = z.object({
  name: z.string(),
  /** Of a block. */
  calls: z.int().positive(),
  /** Per call. */
  bytes: z.number().optional(),
  /** Numbers of the marks, from 1, at the ends of an empty block and of each block, one after another. */
  marks: z.array(z.int().positive()).optional(),
  /** Why it was not driven. */
  why: z.string().optional(),
});

export type Driving = z.infer<typeof DRIVING>;

/** The last line of what the program printed. @throws Error */
export function parseDrivings(stdout: string): readonly Driving[] {
  const line = stdout.trimEnd().split('\n').at(-1) ?? '';
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
  } catch {
    throw new Error(`the count program printed no JSON: ${line}`);
  }
  return z.array(DRIVING).parse(parsed);
}
