export function ConfigurationPage(_: { detail: string }) { return <p>soon</p>; }
