/**
 * What a project is most likely tested by, from the names at its root.
 * @param manifest the text of its package.json; empty where there is none
 */
export function suggestVerify(files: readonly string[], manifest: string): string | undefined {
	let script: unknown;
	try {
		script = (JSON.parse(manifest) as {scripts?: {test?: unknown}}).scripts?.test;
	} catch {
		// Then it says nothing about tests.
	}

	if (typeof script === 'string' && !script.includes('no test specified')) {
		const locks: ReadonlyArray<readonly [string, string]> = [
			['pnpm-lock.yaml', 'pnpm test'],
			['yarn.lock', 'yarn test'],
			['bun.lock', 'bun run test'],
		];
		return locks.find(([file]) => files.includes(file))?.[1] ?? 'npm test';
	}

	const known: ReadonlyArray<readonly [string, string]> = [
		['Cargo.toml', 'cargo test --offline'],
		['go.mod', 'go test ./...'],
		['pytest.ini', 'python3 -m pytest'],
		['pyproject.toml', 'python3 -m pytest'],
		['mix.exs', 'mix test'],
		['Makefile', 'make test'],
	];
	return known.find(([file]) => files.includes(file))?.[1];
}
