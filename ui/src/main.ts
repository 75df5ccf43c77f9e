import { createApp } from 'vue'
import App from './App.vue'
import { keepPageOnDrop } from './features/attachments/incoming'
import { connect } from './host'
import { router } from './router'
import './styles/base.css'
import './styles/tokens.css'
import './styles/print.css'

await connect()
keepPageOnDrop()
createApp(App).use(router).mount('#app')
