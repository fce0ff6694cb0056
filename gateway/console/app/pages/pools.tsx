export function PoolsPage(_: { detail: string }) { return <p>soon</p>; }
