import {existsSync, readFileSync, realpathSync} from 'node:fs';
import path from 'node:path';
import {orThrow} from '../../core/refusal.ts';
import {defaultSettings, type Settings} from '../../core/settings.ts';
import type {Paths} from '../../host/paths.ts';
import {replaceFile} from '../../host/write.ts';
import {statusOf} from '../../host/status.ts';

/* What a person set, in a file of their own that they may edit. What is not in it is as it was delivered. */

/** The file, in the folder for configuration. */
export function settingsFile(paths: Pick<Paths, 'config'>): string {
	return path.join(paths.config, 'settings.yaml');
}

let last: {stamp: string; settings: Settings} | undefined;

/** @throws Refusal with the line that is wrong */
export async function readSettings(paths: Pick<Paths, 'config'>): Promise<Settings> {
	const file = settingsFile(paths);
	const status = statusOf(file);
	if (!status) {
		return defaultSettings;
	}

	const stamp = `${file} ${status.mtimeMs} ${status.size} ${status.ino}`;
	if (last?.stamp !== stamp) {
		const {parseSettings} = await import('../../core/settings-file.ts');
		last = {stamp, settings: orThrow(parseSettings(readFileSync(file, 'utf8')))};
	}

	return last.settings;
}

/** Changes some of what is set; the person's own words around it stay. @throws Refusal where the file cannot be read */
export async function writeSettings(paths: Pick<Paths, 'config'>, settings: Partial<Settings>): Promise<void> {
	const file = settingsFile(paths);
	const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
	const {changeSettings} = await import('../../core/settings-file.ts');
	const changed = orThrow(changeSettings(text, settings));
	// The person's own file may be a link to where they keep such files: the link stays.
	replaceFile(existsSync(file) ? realpathSync(file) : file, changed);
}
