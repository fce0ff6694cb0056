/** The `minio` client for what measures an S3 server, and the bucket that a URL names. */
import { Client } from 'minio';

export interface S3Bucket {
  readonly client: Client;
  readonly bucket: string;
}

/** @param url `http://key:secret@host:port/bucket` */
export function s3BucketOf(url: string): S3Bucket {
  const { hostname, port, username, password, pathname } = new URL(url);
  const client = new Client({
    endPoint: hostname,
    port: Number(port),
    useSSL: false,
    accessKey: decodeURIComponent(username),
    secretKey: decodeURIComponent(password),
    region: 'us-east-1',
  });
  return { client, bucket: pathname.slice(1) };
}

/** Makes the bucket where it is not there. */
export async function makeBucket({ client, bucket }: S3Bucket): Promise<void> {
  if (!(await client.bucketExists(bucket))) await client.makeBucket(bucket);
}
