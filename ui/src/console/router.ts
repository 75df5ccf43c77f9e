import { createRouter, createWebHashHistory } from 'vue-router'
import BranchesPage from './BranchesPage.vue'
import RecordPage from './RecordPage.vue'
import RecordsPage from './RecordsPage.vue'

export const router = createRouter({
  history: createWebHashHistory(),
  routes: [
    { path: '/', name: 'branches', component: BranchesPage },
    { path: '/:stream', name: 'records', props: true, component: RecordsPage },
    { path: '/:stream/:kind/:id', name: 'record', props: true, component: RecordPage },
  ],
})
