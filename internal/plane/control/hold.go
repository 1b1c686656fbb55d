package control

// HoldBlobs runs fn while no blob is collected as garbage: what fn checks to be
// stored is still stored when it has written who needs it.
func (s *Service) HoldBlobs(fn func() error) error {
	s.blobsInUse.RLock()
	defer s.blobsInUse.RUnlock()
	return fn()
}
