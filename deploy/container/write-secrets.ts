/**
 * Makes the secrets that `compose.yml` mounts, in the directory that the argument names: random, each in the form that its server reads.
 *
 * The directory is its owner's alone, and the files in it can be read by everybody: each is mounted by itself, into containers whose users have
 * different numbers. Nothing is overwritten: a server that has started with a secret keeps it, so a second run is refused. The certificate,
 * `tether.pem`, is to be put beside them.
 */
import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';

const made = () => randomBytes(24).toString('hex');

async function filled(path: string, secrets: Readonly<Record<string, string>>): Promise<string> {
  let text = await readFile(new URL(`../../../deploy/${path}`, import.meta.url), 'utf8');
  for (const [name, secret] of Object.entries(secrets)) {
    if (!text.includes(`CHANGE-ME-${name}`)) throw new Error(`deploy/${path} has no place for ${name}`);
    text = text.replaceAll(`CHANGE-ME-${name}`, secret);
  }
  return text;
}

/** Name to text. */
async function secretFiles(): Promise<Readonly<Record<string, string>>> {
  const [redis, postgres, stats, objects] = [made(), made(), made(), made()];
  return {
    'api-token': made(),
    'redis-url': `redis://tether:${redis}@redis:6379`,
    'database-url': `postgres://tether:${postgres}@pgbouncer:6432/tether`,
    's3-url': `http://tether:${objects}@minio:9000/tether`,
    's3-secret': objects,
    // Keep it elsewhere too, and not with backups of Postgres: without it the IBANs in them are gone.
    'iban-keys': `first:${randomBytes(32).toString('base64')}`,
    'emp-token': made(),
    // The API password that the gateway of the payment provider signs with: put theirs here.
    'emp-password': made(),
    'minio-root-user': `root-${made().slice(0, 12)}`,
    'minio-root-password': made(),
    'postgres-password': made(),
    'users.acl': await filled('redis/users.acl', { tether: redis, replica: made(), operator: made() }),
    'roles.sql': await filled('postgres/roles.sql', { tether: postgres, stats }),
    'userlist.txt': `"tether" "${postgres}"\n"tether_stats" "${stats}"\n`,
  };
}

async function main([given]: readonly string[]): Promise<number> {
  if (given === undefined) {
    process.stderr.write('write-secrets: the directory is missing\n');
    return 64;
  }
  const directory = resolve(given);
  const files = await secretFiles();
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const there = (await readdir(directory)).filter((name) => Object.hasOwn(files, name));
  if (there.length > 0) {
    process.stderr.write(
      `write-secrets: ${directory} has ${there.join(', ')} already, and servers may know them: nothing was written\n`,
    );
    return 1;
  }
  await chmod(directory, 0o700);
  for (const [name, text] of Object.entries(files)) {
    const path = join(directory, name);
    await writeFile(path, text, { flag: 'wx', mode: 0o444 });
    // Whatever the umask says.
    await chmod(path, 0o444);
  }
  process.stdout.write(`${Object.keys(files).length} secrets are in ${directory}\n`);
  return 0;
}

process.exitCode = await main(process.argv.slice(2));
