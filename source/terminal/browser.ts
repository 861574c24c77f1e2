import {spawn} from 'node:child_process';
import process from 'node:process';
import {splitWords} from '../core/text/shell-words.ts';
import {Refusal} from '../core/refusal.ts';
import {findOnPath} from '../host/program.ts';

/**
 * The command that opens an address: $BROWSER, with the address in the place of `%s` or at its end, or the desktop's
 * own. Undefined where there is neither.
 */
export function browserCommand(url: string, environment: NodeJS.ProcessEnv = process.env): string[] | undefined {
	const named = splitWords(environment['BROWSER'] ?? '');
	if (!(named instanceof Refusal) && named.length > 0) {
		return named.some(word => word.includes('%s'))
			? named.map(word => word.replaceAll('%s', () => url))
			: [...named, url];
	}

	const hasDesktop = Boolean(environment['DISPLAY'] || environment['WAYLAND_DISPLAY']);
	return hasDesktop && findOnPath('xdg-open', environment) ? ['xdg-open', url] : undefined;
}

/** Has the person's browser open an address, and does not wait for its end. @returns whether it was started */
export function openBrowser(url: string): Promise<boolean> {
	const argv = browserCommand(url);
	if (!argv) {
		return Promise.resolve(false);
	}

	return new Promise(resolve => {
		const child = spawn(argv[0]!, argv.slice(1), {stdio: 'ignore', detached: true});
		child.once('error', () => resolve(false));
		child.once('spawn', () => {
			child.unref();
			resolve(true);
		});
	});
}
