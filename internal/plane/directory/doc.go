// Package directory keeps who exists and who holds which role: organisations,
// users, groups, service accounts and grants.
//
// Its rules bind every caller, whatever the policies of plane/authz allow:
// nobody gives or takes a role above their own level or outside of where they
// hold it, nobody changes somebody who outranks them, and the last owner of the
// main organisation who can sign in stays.
//
// It must never know how people sign in, nor decide what a role may do.
package directory
