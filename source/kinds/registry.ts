import type {ProjectKind} from '../core/project-kind.ts';
import {bun} from './bun.ts';
import {cargo} from './cargo.ts';
import {cmake} from './cmake.ts';
import {go} from './go.ts';
import {gradle} from './gradle.ts';
import {make} from './make.ts';
import {maven} from './maven.ts';
import {npm} from './npm.ts';
import {pip} from './pip.ts';
import {pnpm} from './pnpm.ts';
import {poetry} from './poetry.ts';
import {uv} from './uv.ts';
import {yarn} from './yarn.ts';

/** Every kind of project, in the order in which the proposals of a mixed one are joined. */
export const kinds: readonly ProjectKind[] = [
	npm,
	pnpm,
	yarn,
	bun,
	pip,
	uv,
	poetry,
	cargo,
	go,
	maven,
	gradle,
	cmake,
	make,
];
