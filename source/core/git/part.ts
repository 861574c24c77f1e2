import {Refusal} from '../refusal.ts';

/* A part of a repository: one folder, such as a package of a monorepo. */

/** A folder as a person names it, from the top of the repository, without a slash at its end. */
export function parsePart(text: string): string | Refusal {
	const parts = text
		.trim()
		.split('/')
		.filter((part, index) => part !== '.' && (part !== '' || index === 0));
	const isOdd = parts.some(part => part === '' || part === '..' || part.toLowerCase() === '.git');
	return parts.length === 0 || isOdd || /[\u0000-\u001F\u007F]/.test(text.trim())
		? new Refusal('a path is a folder inside the repository, named from its top', 'such as --path packages/a')
		: parts.join('/');
}

/** Whether a file lies in the folder. */
export function isInPart(file: string, part: string): boolean {
	return file === part || file.startsWith(`${part}/`);
}

/**
 * Patterns of a sparse checkout, as git's cone mode writes them: all of these folders, and the files, not the folders,
 * that lie beside the way to them, such as the manifest at the top.
 */
export function conePatterns(folders: readonly string[]): string {
	const escape = (folder: string) => folder.replaceAll(/[\\*?[]/g, String.raw`\$&`);
	const whole = [...new Set(folders)].filter(one => !folders.some(other => other !== one && isInPart(one, other)));
	const parents = new Set(
		whole.flatMap(folder => {
			const parts = folder.split('/');
			return parts.slice(0, -1).map((_, index) => parts.slice(0, index + 1).join('/'));
		}),
	);
	return [
		'/*',
		'!/*/',
		...[...parents].sort().flatMap(folder => [`/${escape(folder)}/`, `!/${escape(folder)}/*/`]),
		...whole.sort().map(folder => `/${escape(folder)}/`),
		'',
	].join('\n');
}
