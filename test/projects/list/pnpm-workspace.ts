import {must, write, type RealProject} from '../project.ts';

export const pnpmWorkspace: RealProject = {
	name: 'pnpm-workspace',
	kind: 'pnpm, monorepo, vitest, TypeScript',
	from: 'npm vitest@3, zod@4, typescript@5',
	needs: ['node', 'npm', 'pnpm'],
	lay(place) {
		const typescript = {
			compilerOptions: {
				module: 'nodenext',
				target: 'es2022',
				strict: true,
				declaration: true,
				outDir: 'dist',
				rootDir: 'source',
			},
			include: ['source'],
		};
		write(place, {
			'package.json': {
				name: 'shop',
				private: true,
				type: 'module',
				scripts: {build: 'pnpm -r run build', test: 'pnpm -r run test'},
				devDependencies: {typescript: '5.9.3', vitest: '3.2.4'},
			},
			'pnpm-workspace.yaml': 'packages: [packages/*]\nonlyBuiltDependencies: [esbuild]\n',
			'.gitignore': 'node_modules\ndist\n',
			'packages/money/package.json': {
				name: '@shop/money',
				version: '1.0.0',
				type: 'module',
				exports: {types: './dist/index.d.ts', default: './dist/index.js'},
				scripts: {build: 'tsc', test: 'vitest run'},
				dependencies: {zod: '4.1.12'},
			},
			'packages/money/tsconfig.json': typescript,
			'packages/money/source/index.ts':
				"import {z} from 'zod';\nexport const Money = z.object({amount: z.number().int(), currency: z.string().length(3)});\nexport type Money = z.infer<typeof Money>;\n",
			'packages/money/test/money.test.ts':
				"import {expect, test} from 'vitest';\nimport {Money} from '../source/index.ts';\ntest('a currency has three letters', () => {\n\texpect(Money.safeParse({amount: 1, currency: 'EUR'}).success).toBe(true);\n\texpect(Money.safeParse({amount: 1, currency: 'EURO'}).success).toBe(false);\n});\n",
			'packages/cart/package.json': {
				name: '@shop/cart',
				version: '1.0.0',
				type: 'module',
				exports: './dist/index.js',
				scripts: {build: 'tsc', test: 'vitest run'},
				dependencies: {'@shop/money': 'workspace:*'},
			},
			'packages/cart/tsconfig.json': typescript,
			'packages/cart/source/index.ts':
				"import {Money} from '@shop/money';\nexport const sum = (all: readonly Money[]): number => all.reduce((total, one) => total + Money.parse(one).amount, 0);\n",
			'packages/cart/test/cart.test.ts':
				"import {expect, test} from 'vitest';\nimport {sum} from '../source/index.ts';\ntest('a sum', () => {\n\texpect(sum([{amount: 1, currency: 'EUR'}, {amount: 2, currency: 'EUR'}])).toBe(3);\n});\n",
		});
		must(place, 'pnpm', 'install', '--lockfile-only', '--ignore-scripts');
	},
	tests: 'pnpm run build && pnpm run test',
	edits: 'packages/cart/source/index.ts',
	line: '// A remark by an agent.',
};
