/** Whether a text may be asked of a `uuid` column: Postgres takes other forms too, and fails on the rest. */
export function isUuid(text: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text);
}
