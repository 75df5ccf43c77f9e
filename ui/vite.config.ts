import vue from '@vitejs/plugin-vue'
import { fileURLToPath } from 'node:url'
import icons from 'unplugin-icons/vite'
import { ElementPlusResolver } from 'unplugin-vue-components/resolvers'
import components from 'unplugin-vue-components/vite'
import { defineConfig } from 'vitest/config'

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))

export default defineConfig({
  base: './',
  resolve: { alias: { '@': here('./src') } },
  plugins: [
    vue(),
    icons({ compiler: 'vue3' }),
    components({ dirs: [], dts: here('./src/components.d.ts'), resolvers: [ElementPlusResolver({ importStyle: 'css' })] }),
  ],
  build: {
    // Offline machines keep old browsers and old WebView2 runtimes.
    target: 'chrome109',
    cssTarget: 'chrome109',
    rolldownOptions: { input: { index: here('./index.html'), console: here('./console.html') } },
  },
  test: { environment: 'happy-dom', include: ['src/**/*.test.ts'] },
})
