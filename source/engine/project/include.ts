import {createHash} from 'node:crypto';
import {
	closeSync,
	constants,
	existsSync,
	fstatSync,
	mkdirSync,
	mkdtempSync,
	openSync,
	readlinkSync,
	readSync,
	rmSync,
	writeFileSync,
	type Stats,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {printable} from '../../core/names.ts';
import type {Project} from '../../core/project.ts';
import {holdsValue} from '../../core/secrets/redact.ts';
import {Refusal} from '../../core/refusal.ts';
import {Git} from '../../host/git.ts';
import {giveToRun} from '../../host/run-owner.ts';
import type {Context} from '../context.ts';
import {openRepository} from './projects.ts';
import {rememberYes, saidYes} from './remembered-yes.ts';
import {knownValues} from '../grants/secret-values.ts';
import {ownStatusOf} from '../../host/status.ts';

/*
 * Files that git does not keep and that a project's runs need all the same, such as a
 * local configuration. A project names them; a person says yes to exactly these, once.
 */

/**
 * Patterns in the way of .gitignore, one on a line. Read from the run's base, so that no branch changes it for itself.
 */
export const includePath = '.worktreeinclude';

const maxFiles = 200;
const maxFileBytes = 16 * 1024 ** 2;

/** What a project's runs are given, and a name for exactly that. */
export type Included = {readonly files: readonly string[]; readonly digest: string};

/** @param base a commit @returns undefined where the project names nothing that is there */
export async function findIncluded(project: Pick<Project, 'root'>, base: string): Promise<Included | undefined> {
	const {checkout} = await openRepository(project.root);
	const {code, stdout: patterns} = await checkout.run(['cat-file', 'blob', `${base}:${includePath}`]);
	if (code !== 0) {
		return undefined;
	}

	const folder = mkdtempSync(path.join(os.tmpdir(), 'fleet-include-'));
	try {
		const file = path.join(folder, 'patterns');
		writeFileSync(file, patterns, {mode: 0o600});
		const git = new Git({gitDir: checkout.repository.gitDir, workTree: project.root});
		const stdout = await git.must(['ls-files', '--others', '--ignored', '-z', `--exclude-from=${file}`], {
			cwd: project.root,
		});
		const files = stdout
			.split('\0')
			.filter(name => name !== '' && plainFilePath(project.root, name, isFile) !== undefined)
			.sort();
		if (files.length > maxFiles) {
			throw new Refusal(
				`${includePath} names ${files.length} files; ${maxFiles} are allowed`,
				"name fewer, or have the policy's setup make them",
			);
		}

		return files.length === 0
			? undefined
			: {
					files,
					digest: createHash('sha256')
						.update(JSON.stringify([patterns, files]))
						.digest('hex'),
				};
	} finally {
		rmSync(folder, {recursive: true, force: true});
	}
}

/** Whether a person said yes to exactly these files for this project. */
export function isTrusted(context: Context, {id: project}: Pick<Project, 'id'>, {digest}: Included): boolean {
	return saidYes(context, 'includes', {project, digest});
}

export function trust(context: Context, {id: project}: Pick<Project, 'id'>, {digest}: Included): void {
	rememberYes(context, 'includes', {project, digest});
}

const isFile = (status: Stats | undefined) => status?.isFile() === true;

/** A path below a folder, with no link on the way to it; undefined where there is one. */
function plainFilePath(
	root: string,
	name: string,
	isWanted: (status: Stats | undefined) => boolean,
): string | undefined {
	const parts = name.split('/');
	let at = root;
	for (const [index, part] of parts.entries()) {
		at = path.join(at, part);
		const status = ownStatusOf(at);
		const last = index === parts.length - 1;
		if (
			part === '' ||
			part === '.' ||
			part === '..' ||
			part === '.git' ||
			(last ? !isWanted(status) : status !== undefined && !status.isDirectory())
		) {
			return undefined;
		}
	}

	return at;
}

/**
 * Reads a file by what was opened, not by its name alone: a run that may change a folder of the project could exchange
 * a part of the path for a link between a look and the reading. Undefined where the file is not where its name says.
 */
export function readPlain(root: string, name: string): Buffer | undefined {
	let descriptor: number;
	try {
		descriptor = openSync(path.join(root, name), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
	} catch {
		// A link, or gone: no file at its name.
		return undefined;
	}

	try {
		const status = fstatSync(descriptor);
		const opened = process.platform === 'linux' ? readlinkSync(`/proc/self/fd/${descriptor}`) : path.join(root, name);
		if (!status.isFile() || opened !== path.join(root, name)) {
			return undefined;
		}

		// One byte more than is allowed is enough to say so.
		const bytes = Buffer.alloc(Math.min(status.size, maxFileBytes + 1));
		return bytes.subarray(0, readSync(descriptor, bytes));
	} finally {
		closeSync(descriptor);
	}
}

/**
 * Copies them into a new checkout. What is there already stays; nothing is followed through a link.
 * @throws Refusal for a file that holds a value of the vault, or is too large
 */
export async function copyIncluded(
	context: Context,
	{
		project,
		runId,
		folder: checkout,
	}: {
		readonly project: Pick<Project, 'id' | 'root'>;
		/** Whose the files are then. */ readonly runId: string;
		/** The checkout. */ readonly folder: string;
	},
	files: readonly string[],
): Promise<void> {
	const known = await knownValues(context, project.id);
	for (const name of files) {
		const from = plainFilePath(project.root, name, isFile);
		const to = plainFilePath(checkout, name, status => status === undefined);
		if (from === undefined || to === undefined) {
			continue;
		}

		const bytes = readPlain(project.root, name);
		if (bytes === undefined) {
			continue;
		}

		if (bytes.length > maxFileBytes) {
			throw new Refusal(
				`${printable(name)} of ${includePath} is larger than ${maxFileBytes / 1024 ** 2} MiB`,
				"have the policy's setup make it",
			);
		}

		if (holdsValue(known, bytes.toString('latin1'))) {
			throw new Refusal(
				`${printable(name)} of ${includePath} holds the value of a secret`,
				'take it out: a run gets a pointer in its place, with --allow secret:…',
			);
		}

		const made: string[] = [];
		for (let folder = path.dirname(to); !existsSync(folder); folder = path.dirname(folder)) {
			made.unshift(folder);
		}

		for (const folder of made) {
			mkdirSync(folder, {mode: 0o755});
		}

		writeFileSync(to, bytes, {flag: 'wx', mode: ownStatusOf(from)?.mode ?? 0o644});
		giveToRun(runId, ...made, to);
	}
}
