import {execFile} from 'node:child_process';
import process from 'node:process';
import {forgeOf, issueCommand, parseIssue, type Issue} from '../../core/issue.ts';
import {printable} from '../../core/names.ts';
import type {Project} from '../../core/project.ts';
import {orThrow, Refusal} from '../../core/refusal.ts';
import {openRepository} from './projects.ts';

/** How long the tracker has to answer, milliseconds, and how much it may say, bytes. */
const limits = {timeout: 30_000, maxBuffer: 4 * 1024 ** 2};

/**
 * Reads an issue of the project's tracker, outside of every sandbox, with the person's own login of `gh` or `glab`.
 * @throws Refusal where there is no such program or issue
 */
export async function fetchIssue({root}: Pick<Project, 'root'>, id: number): Promise<Issue> {
	const {git} = await openRepository(root);
	const {code, stdout: url} = await git.run(['config', '--get', 'remote.origin.url']);
	if (code !== 0) {
		throw new Refusal('the project has no remote called origin, so no tracker is known', 'git remote add origin URL');
	}

	const forge = forgeOf(url.trim());
	const {program, argv} = issueCommand(forge, id);
	const printed = await new Promise<string>((resolve, reject) => {
		execFile(
			program,
			argv,
			{...limits, cwd: root, env: {...process.env, NO_COLOR: '1', GH_PROMPT_DISABLED: '1'}, encoding: 'utf8'},
			(error, stdout, stderr) => {
				if (!error) {
					resolve(stdout);
					return;
				}

				const isMissing = error.code === 'ENOENT';
				const [line] = stderr.trim().split('\n');
				reject(
					new Refusal(
						isMissing
							? `${program} is not installed, and reads the issues of this project`
							: `${program}: ${printable((line || error.message).slice(0, 200))}`,
						isMissing ? `install ${program}, then: ${program} auth login` : `${program} ${argv.slice(0, 3).join(' ')}`,
					),
				);
			},
		);
	});
	return orThrow(parseIssue(forge, printed));
}
