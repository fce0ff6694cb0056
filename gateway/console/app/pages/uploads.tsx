export function UploadsPage(_: { detail: string }) { return <p>soon</p>; }
