/** One step of the schema. Once released it never changes: its checksum is in users' databases. */
export interface Migration {
  /** 1, 2, 3 ...: without a gap. */
  readonly version: number;
  /** As in the name of its file. */
  readonly name: string;
  /**
   * The migrations that a release must know to run on the schema that this one leaves, up to this number; default: this one too. A step that
   * only adds what older code does not see (a table, a column that may be NULL or has a default) has an earlier one: nodes of the release before
   * run beside those that applied it, and a deployment can be taken back. What takes away, renames or forbids waits for a release whose
   * predecessor does not need it any more (expand and contract).
   */
  readonly readableFrom?: number;
  /** Statements that run in one transaction; no CREATE INDEX CONCURRENTLY, no transaction control. */
  readonly sql: string;
}
