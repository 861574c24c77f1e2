import {bzip2, oniguruma} from './list/c.ts';
import {flask} from './list/flask.ts';
import {indexmap, itoa} from './list/crates.ts';
import {fastifyPlugin} from './list/fastify-plugin.ts';
import {cobra, uuid} from './list/go.ts';
import {gradle} from './list/gradle.ts';
import {plexusInterpolation} from './list/maven.ts';
import {goAndPage, webAndApi} from './list/mixed.ts';
import {npmWorkspaces} from './list/npm-workspaces.ts';
import {pnpmWorkspace} from './list/pnpm-workspace.ts';
import {postgres} from './list/postgres.ts';
import {itsdangerous, markupsafe} from './list/python-pip.ts';
import {sqlite} from './list/sqlite.ts';
import {submodule} from './list/submodule.ts';
import {poetry} from './list/poetry.ts';
import {yarnBerry} from './list/yarn-berry.ts';
import {yarnClassic} from './list/yarn-classic.ts';
import type {RealProject} from './project.ts';

export const projects: readonly RealProject[] = [
	fastifyPlugin,
	npmWorkspaces,
	sqlite,
	pnpmWorkspace,
	yarnClassic,
	yarnBerry,
	itsdangerous,
	markupsafe,
	flask,
	poetry,
	postgres,
	itoa,
	indexmap,
	uuid,
	cobra,
	plexusInterpolation,
	gradle,
	oniguruma,
	bzip2,
	submodule,
	webAndApi,
	goAndPage,
];
