import vue from 'eslint-plugin-vue'
import tsParser from '@typescript-eslint/parser'

export default [
  ...vue.configs['flat/recommended'],
  { files: ['**/*.vue'], languageOptions: { parserOptions: { parser: tsParser } } },
  { files: ['**/*.ts'], languageOptions: { parser: tsParser } },
  {
    rules: {
      'max-lines': ['error', 500],
      'vue/multi-word-component-names': 'off',
      'vue/no-v-html': 'error',
      'vue/no-static-inline-styles': 'error',
      'vue/block-lang': ['error', { script: { lang: 'ts' } }],
      'vue/component-api-style': ['error', ['script-setup']],
      // Layout of markup is left to the eye; these rules ask for one attribute a line.
      'vue/max-attributes-per-line': 'off',
      'vue/singleline-html-element-content-newline': 'off',
      'vue/html-self-closing': 'off',
      'vue/html-closing-bracket-newline': 'off',
      'vue/html-indent': 'off',
      'vue/first-attribute-linebreak': 'off',
      'vue/multiline-html-element-content-newline': 'off',
      'vue/attributes-order': 'off',
      // An optional prop without a default is plain in its type.
      'vue/require-default-prop': 'off',
    },
  },
  { ignores: ['src/components.d.ts', 'src/host/contract.ts'] },
]
