import {watch as watchFile, type FSWatcher} from 'node:fs';

/** How often a folder is looked at that the system does not watch, milliseconds. */
const lookEveryMs = 1000;

/**
 * Tells what changes in a folder. Where the system watches no more of
 * them, it is looked at from time to time: the name is unknown then.
 */
export function watchFolder(folder: string, changed: (name: string | undefined) => void): () => void {
	let timer: NodeJS.Timeout | undefined;
	const look = () => {
		timer ??= setInterval(() => changed(undefined), lookEveryMs);
	};

	let watcher: FSWatcher | undefined;
	try {
		watcher = watchFile(folder, (_event, name) => changed(name ?? undefined));
		watcher.on('error', look);
	} catch {
		look();
	}

	return () => {
		watcher?.close();
		clearInterval(timer);
	};
}
