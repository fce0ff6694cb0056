export function DeadLettersPage(_: { detail: string }) { return <p>soon</p>; }
