export function ActorsPage(_: { detail: string }) { return <p>soon</p>; }
