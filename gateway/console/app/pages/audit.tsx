export function AuditPage(_: { detail: string }) { return <p>soon</p>; }
