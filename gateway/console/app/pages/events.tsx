export function EventsPage(_: { detail: string }) { return <p>soon</p>; }
