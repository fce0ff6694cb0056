/**
 * Recovery, case by case: what is found in a segment, and what is done about it.
 *
 * | row            | all zeros | later used | base known | ends      | proof | decision |
 * |----------------|-----------|------------|------------|-----------|-------|----------|
 * | prepared       | yes       | no         | yes        | -         | -     | keep it for later |
 * | erased         | yes       | otherwise  |            | -         | -     | damaged  |
 * | whole          | no        | any        | any        | clean     | -     | use it   |
 * | torn           | no        | no         | yes        | bad       | no    | zero from the bad byte on |
 * | damaged-synced | no        | no         | yes        | bad       | yes   | damaged  |
 * | damaged-sealed | no        | yes        | any        | bad       | any   | damaged  |
 * | damaged-base   | no        | no         | no         | bad       | any   | damaged  |
 * | inconsistent   | no        | any        | any        | impossible| -     | damaged  |
 *
 * - later used: a segment with a higher number is not all zeros
 * - base known: what came before the end of the segment's valid part is known: it has a valid header and checkpoint, or it
 *   is segment 1, or the segment before it is there. False for the oldest of a journal whose start is gone.
 * - ends: how its row of valid groups ends. `clean`: at the end of the file, or zeros to the end. `bad`: at bytes that are
 *   no valid group. `impossible`: at a group whose checksum is right and that cannot stand there (a gap in the
 *   offsets or sequences), or the file has not the size that its header says: nothing a crash could leave.
 * - proof: behind the bad bytes a valid group says that what was there had been synced (`format.ts`)
 */
export interface SegmentFacts {
  readonly allZero: boolean;
  readonly laterUsed: boolean;
  readonly baseKnown: boolean;
  readonly ends: 'clean' | 'bad' | 'impossible';
  readonly proof: boolean;
}

export type SegmentCase =
  | 'prepared'
  | 'erased'
  | 'whole'
  | 'torn'
  | 'damaged-synced'
  | 'damaged-sealed'
  | 'damaged-base'
  | 'inconsistent';

interface Row {
  readonly name: SegmentCase;
  matches(facts: SegmentFacts): boolean;
}

const TABLE: readonly Row[] = [
  { name: 'prepared', matches: (f) => f.allZero && !f.laterUsed && f.baseKnown },
  { name: 'erased', matches: (f) => f.allZero && (f.laterUsed || !f.baseKnown) },
  { name: 'whole', matches: (f) => !f.allZero && f.ends === 'clean' },
  { name: 'torn', matches: (f) => bad(f) && !f.laterUsed && f.baseKnown && !f.proof },
  { name: 'damaged-synced', matches: (f) => bad(f) && !f.laterUsed && f.baseKnown && f.proof },
  { name: 'damaged-sealed', matches: (f) => bad(f) && f.laterUsed },
  { name: 'damaged-base', matches: (f) => bad(f) && !f.laterUsed && !f.baseKnown },
  { name: 'inconsistent', matches: (f) => !f.allZero && f.ends === 'impossible' },
];

function bad(facts: SegmentFacts): boolean {
  return !facts.allZero && facts.ends === 'bad';
}

/** The one row that matches. */
export function classify(facts: SegmentFacts): SegmentCase {
  const rows = TABLE.filter((row) => row.matches(facts));
  const [row] = rows;
  if (row === undefined || rows.length !== 1) {
    throw new Error(`${rows.length} rows of the recovery table match ${JSON.stringify(facts)}`);
  }
  return row.name;
}
