import type {ProjectKind} from '../core/project-kind.ts';
import {hostsIn, unique} from './hosts.ts';

/** Maven: by the project's own wrapper where it has one. */
export const maven: ProjectKind = {
	id: 'maven',
	title: 'Maven',
	language: 'Java',
	manifests: ['pom.xml'],
	reads: ['pom.xml', '.mvn/', '.mvn/wrapper/'],
	detect(folder) {
		const pom = folder.text('pom.xml');
		if (pom === undefined) {
			return undefined;
		}

		const hasWrapper = folder.paths.includes('mvnw') && folder.paths.includes('.mvn/wrapper/maven-wrapper.properties');
		// With a folder before its name, from which the script finds its settings.
		const program = hasWrapper ? 'sh ./mvnw' : 'mvn';
		const repositories = pom
			.replaceAll(/<!--[\s\S]*?-->/g, '')
			.match(/<(?:pluginR|r)epository>[\s\S]*?<\/(?:pluginR|r)epository>/g);
		return {
			by: 'pom.xml',
			program: hasWrapper ? 'java' : 'mvn',
			// Plugins fetch what they need when they run, and the one that runs tests when there is a test to be run: nothing
			// but the whole build says which. Tests that fail there are told of by verify.
			setup: [`${program} -B -ntp verify -Dmaven.test.failure.ignore=true`],
			verify: [`${program} -B -ntp -o verify`],
			network: unique([
				'repo.maven.apache.org',
				...hostsIn(folder.text('.mvn/wrapper/maven-wrapper.properties'), /^(?:distributionUrl|wrapperUrl)=(\S+)/gm),
				...hostsIn((repositories ?? []).join('\n'), /<url>\s*([^<\s]+)\s*<\/url>/g),
			]),
			inputs: folder.paths.filter(name => /(?:^|\/)pom\.xml$/.test(name) || name.startsWith('.mvn/')).slice(0, 200),
			preview: /<artifactId>spring-boot-maven-plugin<\/artifactId>/.test(pom)
				? `${program} spring-boot:run`
				: undefined,
			notes: [],
		};
	},
};
