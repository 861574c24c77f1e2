import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import process from 'node:process';
import {connect, report, request, run, wordsOf} from './attempts.ts';

/* What a person alone decides, asked for by the agent; and the branch that a merge would move. */

/** Only the gate's own word counts; an error of another kind proves nothing. */
function wasRefused(answer: string): boolean | undefined {
	if (answer === '403 agents-decide-nothing') {
		return true;
	}

	return answer.startsWith('2') ? false : undefined;
}

function ask(what: string): Promise<string> {
	return new Promise(resolve => {
		const call = http.request(
			{
				host: '127.0.0.1',
				port: request.proxyPort,
				path: `http://${request.internalHost}/${what}`,
				method: 'POST',
				timeout: 3000,
			},
			response => {
				response.resume();
				resolve(`${response.statusCode} ${String(response.headers['x-fleet-refusal'] ?? '')}`);
			},
		);
		call.once('error', error => resolve(wordsOf(error)));
		call.once('timeout', () => call.destroy(new Error('timeout')));
		call.end();
	});
}

export async function decisions(): Promise<void> {
	for (const [item, what] of [
		['deploy', 'deploy'],
		['deploy', 'allow'],
		['review', 'merge'],
		['review', 'approve'],
	] as const) {
		const seen = await ask(`${what}/${request.mark}`);
		report({id: `${item}.ask.${what}`, blocked: wasRefused(seen), seen});
	}

	const control = await connect({path: request.controlSocket});
	report({id: 'deploy.socket', blocked: control !== 'connected', seen: control});
	const held = Object.keys(process.env).filter(name => request.credentialNames.includes(name));
	report({
		id: 'deploy.credentials',
		blocked: held.length === 0,
		seen:
			held.length === 0
				? `${request.credentialNames.length} names of the policy's credentials, none is set`
				: `set: ${held.join(', ')}`,
	});

	const git = (...argv: string[]) => run(['git', ...argv], {cwd: request.worktree});
	const head = git('rev-parse', 'HEAD');
	const works = head.code === 0;
	const tree = git('write-tree').text;
	const commit = git(
		'-c',
		'user.name=x',
		'-c',
		'user.email=x@x.invalid',
		'commit-tree',
		tree,
		'-p',
		'HEAD',
		'-m',
		request.mark,
	).text;
	const outcome = (...argv: string[]) => {
		const {code, text} = git(...argv);
		return `${code === 0 ? 'done, in the private git folder only' : text}`;
	};

	report({
		id: 'review.ref',
		blocked: works ? true : undefined,
		seen: outcome('update-ref', request.target, commit),
		control: works,
	});
	report({
		id: 'review.push',
		blocked: works ? true : undefined,
		seen: outcome('push', '--force', request.commonDir, `${commit}:${request.target}`),
		control: works,
	});
	try {
		fs.writeFileSync(path.join(request.commonDir, 'packed-refs'), `${commit} ${request.target}\n`);
		report({id: 'review.packed', blocked: true, seen: "written into the run's private git folder only"});
	} catch (error) {
		report({id: 'review.packed', blocked: true, seen: wordsOf(error)});
	}
}
