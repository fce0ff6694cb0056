/** One step of the schema. Once released it never changes: its checksum is in users' databases. */
export interface Migration {
  /** 1, 2, 3 ...: without a gap. */
  readonly version: number;
  /** As in the name of its file. */
  readonly name: string;
  /** Statements that run in one transaction; no CREATE INDEX CONCURRENTLY, no transaction control. */
  readonly sql: string;
}
