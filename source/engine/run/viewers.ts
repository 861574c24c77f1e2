import type {Response} from '../../protocol/messages.ts';

/** How much of the output a person sees who comes to look, bytes. */
const ringBytes = 256 * 1024;

/** Who is told what the agent writes, and the last of it for whoever comes later. */
export class Viewers {
	readonly #all = new Set<(response: Response) => void>();
	#ring: Uint8Array[] = [];
	#length = 0;

	/** Keeps output, and tells it to everyone. */
	show(bytes: Uint8Array): void {
		this.#ring.push(bytes);
		this.#length += bytes.length;
		while (this.#length > ringBytes && this.#ring.length > 1) {
			this.#length -= this.#ring.shift()!.length;
		}

		this.tell({output: Buffer.from(bytes).toString('base64')});
	}

	tell(response: Response): void {
		for (const viewer of this.#all) {
			viewer(response);
		}
	}

	/** Begins with what is kept. */
	add(viewer: (response: Response) => void): void {
		viewer({output: Buffer.concat(this.#ring).toString('base64')});
		this.#all.add(viewer);
	}

	remove(viewer: (response: Response) => void): void {
		this.#all.delete(viewer);
	}
}
