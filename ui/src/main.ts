import { createApp } from 'vue'
import App from './App.vue'
import { connect } from './host'
import { router } from './router'
import './styles/base.css'
import './styles/tokens.css'
import './styles/print.css'

await connect()
createApp(App).use(router).mount('#app')
