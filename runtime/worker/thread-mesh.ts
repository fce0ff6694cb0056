/** The mesh of a worker thread: does what the broker says over the control port, and answers it. */
import type { MessagePort } from 'node:worker_threads';
import type { Kernel } from '../kernel/kernel.js';
import { Mesh, type Place } from '../mesh/mesh.js';
import type { MeshToMain, MeshToWorker } from '../mesh/protocol.js';

export class ThreadMesh {
  readonly mesh: Mesh;
  readonly #port: MessagePort;
  readonly #place: Place;
  #kernel: Kernel | undefined;

  constructor(
    port: MessagePort,
    place: Place,
    lost: (count: number, why: 'mailbox-full' | 'unreachable', error?: Error) => void,
  ) {
    this.#port = port;
    this.#place = place;
    this.mesh = new Mesh({ connect: (to) => this.#say({ type: 'connect', to }), lost });
  }

  attach(kernel: Kernel): void {
    this.#kernel = kernel;
    this.mesh.attach(kernel);
  }

  handle(message: MeshToWorker): void {
    const kernel = this.#kernel;
    if (kernel === undefined) throw new Error('a thread was sent a message before it was ready');
    switch (message.type) {
      case 'link':
        this.mesh.linked(message.place, message.port);
        break;
      case 'gone':
        this.mesh.gone(message.place);
        break;
      case 'route': {
        const { actor, owners, epochs = [], id } = message;
        if (kernel.hostOf(actor) !== undefined)
          kernel.own(
            actor,
            owners.map((owner) => owner === this.#place),
          );
        for (const [partition, epoch] of epochs.entries())
          kernel.hostOf(actor)?.epochs.heard(partition, epoch);
        this.mesh.route({ actor, owners });
        this.#say({ type: 'settled', id, ok: true });
        break;
      }
      case 'moved': {
        const { actor, partition, owner, epoch, id } = message;
        kernel.moved(actor, partition, owner === this.#place, epoch);
        this.mesh.moved(actor, partition, owner);
        this.#say({ type: 'settled', id, ok: true });
        break;
      }
      case 'hold': {
        const { actor, partition, id } = message;
        kernel.leave(actor, partition);
        void this.mesh.hold(actor, partition).then(() => this.#say({ type: 'settled', id, ok: true }));
        break;
      }
      case 'release': {
        const { actor, partition, ms, id } = message;
        this.mesh.takeIn();
        void kernel.release(actor, partition, ms).then((ok) => this.#say({ type: 'settled', id, ok }));
        break;
      }
      case 'discard': {
        const { actor, partition, id } = message;
        void kernel.discard(actor, partition).then(() => this.#say({ type: 'settled', id, ok: true }));
        break;
      }
    }
  }

  close(): void {
    this.mesh.close('the thread has ended');
  }

  #say(message: MeshToMain): void {
    this.#port.postMessage(message);
  }
}
