/**
 * Loads a k6 script in a realm of its own: the JavaScript of the language, `console`, `__ENV`, `__VU` and `__ITER`, and nothing of Node, so that a script
 * that runs here asks for nothing that k6 lacks. Imports are k6's modules and files beside the script.
 *
 * Needs Node's option `--experimental-vm-modules`; a loader's hooks instead would take a further thread for each VU.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { createContext, type Module, SourceTextModule, SyntheticModule } from 'node:vm';
import type { ScriptModule } from './modules.js';

export interface Script {
  /** What it exports, by name. */
  readonly exports: Readonly<Record<string, unknown>>;
  /** Sets a global. */
  set(name: string, value: unknown): void;
}

/** @throws whatever the script throws while it is loaded, or an Error that names what it imports and cannot have */
export async function loadScript(
  url: string,
  modules: Readonly<Record<string, ScriptModule>>,
  globals: Readonly<Record<string, unknown>>,
): Promise<Script> {
  const context = createContext({ ...globals }, { name: url });
  const loaded = new Map<string, Module>();

  const builtIn = (specifier: string, exported: ScriptModule): Module => {
    // k6 gives each module as a whole, too: `import http from 'k6/http'`.
    const all = { ...exported, default: exported };
    const names = Object.keys(all);
    return new SyntheticModule(
      names,
      function (this: SyntheticModule) {
        for (const name of names) this.setExport(name, Reflect.get(all, name));
      },
      { identifier: specifier, context },
    );
  };
  const file = (fileUrl: string): Module => {
    const source = readFileSync(fileURLToPath(fileUrl), 'utf8');
    return new SourceTextModule(source, { identifier: fileUrl, context });
  };
  const link = (specifier: string, referrer: Module): Module => {
    const exported = modules[specifier];
    if (exported === undefined && !/^\.{0,2}\//.test(specifier)) {
      const known = Object.keys(modules).join(', ');
      throw new Error(
        `${specifier} cannot be imported under Node: there are ${known}, and files by their path`,
      );
    }
    const id = exported === undefined ? new URL(specifier, referrer.identifier).href : specifier;
    const module = loaded.get(id) ?? (exported === undefined ? file(id) : builtIn(id, exported));
    loaded.set(id, module);
    return module;
  };

  const script = file(url);
  loaded.set(url, script);
  await script.link(link);
  await script.evaluate();
  return {
    exports: script.namespace as Readonly<Record<string, unknown>>,
    set: (name, value) => {
      context[name] = value;
    },
  };
}
