import { createRouter, createWebHashHistory } from 'vue-router'
import BranchesPage from './BranchesPage.vue'
import DevicesPage from './DevicesPage.vue'
import RecordPage from './RecordPage.vue'
import RecordsPage from './RecordsPage.vue'
import RedactionsPage from './RedactionsPage.vue'
import UsbPage from './UsbPage.vue'

export const router = createRouter({
  history: createWebHashHistory(),
  routes: [
    { path: '/', name: 'branches', component: BranchesPage },
    { path: '/redactions', name: 'redactions', component: RedactionsPage },
    { path: '/:stream/devices', name: 'devices', props: true, component: DevicesPage },
    { path: '/usb', name: 'usb', component: UsbPage },
    { path: '/:stream', name: 'records', props: true, component: RecordsPage },
    { path: '/:stream/:kind/:id', name: 'record', props: true, component: RecordPage },
  ],
})
