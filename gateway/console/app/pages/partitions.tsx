export function PartitionsPage(_: { detail: string }) { return <p>soon</p>; }
